"""The exam: unseen scripts are played on a running system, what it said is scored, and a report is written.

`scoring` is pure. `players` talk to the system and to the engine, `benchmarks` play public benchmarks, `report` writes
the results. Here: the command with its options, the plan of scripts, the run, and the session that joins them.
"""
