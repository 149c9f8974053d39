"""What a worker process does first: leave Ctrl-C to the process that started it, which ends it in order."""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
