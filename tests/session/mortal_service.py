"""A service that connects one device, tells its process id, and waits to be killed.

Run as `python mortal_service.py DEVICES COMMAND...`; the answer goes to the
file `pid` beside the devices' directory.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from session.harness import A, Watch, eventually
from wuts.adapters.sessions.sessions import Sessions


async def main(devices: Path, command: list[str]) -> None:
    """Starts the device, and never returns."""
    watch = Watch(devices)
    watch.sessions = Sessions(
        devices,
        command=command,
        sandbox=True,
        account_of=watch.account_of,
        on_linked=watch.on_linked,
        on_logged_out=watch.on_logged_out,
    )
    watch.sessions.start([A])
    assert await eventually(lambda: watch.sessions.tallies.lines.total() > 0)
    unfinished = devices.parent / "pid.new"
    unfinished.write_text(str(watch.sessions.pids()[A]))
    unfinished.rename(devices.parent / "pid")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
