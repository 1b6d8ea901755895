"""Modules: a process of yours looks at a tenant's pictures and tells the sessions what it notices.

    async with Module.connect(url=NATS_URL) as module:
        async for frame in module.frames():
            if person_in_the_bay(frame.jpeg):
                await module.observe(frame, kind="zone", text="a person is in the loading bay")

`vigil modules add zones` gives the address. docs/modules.md says what a module is, may, and must bear.
"""

from vigil_client.modules.frames import Frame
from vigil_client.modules.module import Module
from vigil_client.modules.running import address, run
from vigil_client.modules.sessions import SessionNews

__all__ = ["Frame", "Module", "SessionNews", "address", "run"]
