"""`make bench`: what the tick costs, measured on real processes under open-loop load.

    settings ─► parts (overhead, economy, knee, failover, alerts) ─► tick.json, report.html

A *part* starts its own stack (NATS, Redis, engine, codec, interaction; each a process), has a load generator publish
frames as cameras would, and measures from outside, on the bus. Nothing here runs in tests but the arithmetic.
"""
