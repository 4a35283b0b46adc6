"""Ctrl-C ends a loop: the task is cancelled, and KeyboardInterrupt comes out of run."""

import asyncio
import os
import signal


async def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("cancelled")
        raise


asyncio.run(main())
