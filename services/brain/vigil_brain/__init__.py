"""The brain service: delegated questions from the work queue, answered by any API, model or agent."""
