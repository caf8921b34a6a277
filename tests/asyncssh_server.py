"""An ssh server of asyncssh on loopback, with faults; a program of its own that prints its port.

Usage: asyncssh_server.py FOLDER [FAULT WORD]. FOLDER holds host_key, authorized_keys and home/. A
command line that holds WORD meets the FAULT:

    drop      the connection is cut half a second after the command began
    truncate  the command's output ends early, with status 0
    silent    nothing is run and nothing answered
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncssh

FOLDER = Path(sys.argv[1])
FAULT, WORD = (*sys.argv[2:], "", "")[:2]
ENVIRONMENT = {"HOME": str(FOLDER / "home"), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


async def pump(read, write, drain):
    while block := await read(1 << 16):
        write(block)
        await drain()


async def feed(process, child):
    try:
        await pump(process.stdin.read, child.stdin.write, child.stdin.drain)
    except (OSError, asyncssh.Error):
        pass  # the client or the command went away
    finally:
        child.stdin.close()


async def answer(process, child):
    try:
        await asyncio.gather(
            pump(child.stdout.read, process.stdout.write, process.stdout.drain),
            pump(child.stderr.read, process.stderr.write, process.stderr.drain),
        )
    except (OSError, asyncssh.Error):
        for stream in (1, 2):  # what the command says from now on meets a closed pipe
            child._transport.get_pipe_transport(stream).close()
    process.exit(await child.wait())


async def serve(process):
    fault = FAULT if WORD in process.command else ""
    if fault == "silent":
        await asyncio.sleep(600)
    child = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        process.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    if fault == "truncate":
        process.stdout.write((await child.stdout.read(1 << 16))[:24])
        child.stdin.close()
        process.exit(0)
    if fault == "drop":
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, process.channel.get_connection().abort)
    await asyncio.gather(feed(process, child), answer(process, child))


async def main():
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(FOLDER / "host_key")],
        authorized_client_keys=str(FOLDER / "authorized_keys"),
        process_factory=serve,
        encoding=None,
    )
    print(server.get_port(), flush=True)
    await server.wait_closed()


asyncio.run(main())
