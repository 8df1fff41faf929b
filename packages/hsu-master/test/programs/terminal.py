"""Runs a command in a terminal of its own: terminal.py COLUMNS COMMAND...; standard input is what is typed there.
A NUL and a number on a line of their own give it so many columns."""
import fcntl
import os
import pty
import struct
import sys
import termios

columns = int(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])

if os.fork() == 0:
    while True:
        typed = os.read(0, 1024)
        if not typed:
            os._exit(0)
        if typed[0] == 0:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(typed[1:]), 0, 0))
            continue
        os.write(terminal, typed)

while True:
    try:
        shown = os.read(terminal, 65536)
    except OSError:
        break
    if not shown:
        break
    os.write(1, shown)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
