"""Who writes the blocks of memory: the session's engine, a chat model, or a memory service of somebody else."""
