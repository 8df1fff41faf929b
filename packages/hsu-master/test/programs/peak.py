"""Runs a command and then writes its largest resident size, in KiB, as the last line of standard error."""
import resource
import subprocess
import sys

code = subprocess.call(sys.argv[1:])
sys.stderr.write(f'\npeak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\n')
sys.exit(code if code >= 0 else 128 - code)
