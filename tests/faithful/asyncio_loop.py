"""A loop with tasks, threads, a child, signals and a server."""

import asyncio
import json
import os
import signal
import sys


async def echo(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.to_thread(json.loads, "[1, 2]"))
    print(await asyncio.gather(*(asyncio.sleep(0, result=number) for number in range(3))))
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    loop.add_signal_handler(signal.SIGINT, told.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        told.clear()
        os.kill(os.getpid(), number)
        await told.wait()
        print("told by", number.name)
    loop.remove_signal_handler(signal.SIGTERM)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE)
    print(await child.communicate(), child.returncode)
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"words\n")
        print(await reader.readline())
        writer.close()
    forgotten = loop.create_task(asyncio.sleep(3600))
    forgotten.set_name("forgotten")
    await asyncio.sleep(0)


asyncio.run(main())
print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))


async def never():
    pass


never()
