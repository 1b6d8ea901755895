"""The pure core: what a session is and what it decides. No I/O, no clock, no asyncio."""
