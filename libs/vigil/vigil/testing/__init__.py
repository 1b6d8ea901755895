"""Public test support: real servers on free ports, a scripted engine. Nothing here runs in production."""
