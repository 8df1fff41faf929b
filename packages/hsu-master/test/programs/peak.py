"""Runs a command and then writes, as the last line of standard error, its largest resident size and its processor time."""
import resource
import subprocess
import sys

code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stderr.write(f'\npeak {used.ru_maxrss} KiB, {used.ru_utime + used.ru_stime:.3f} s\n')
sys.exit(code if code >= 0 else 128 - code)
