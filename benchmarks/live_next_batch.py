"""The peer that only counts: pcapy-ng's own ``next_batch`` loop on an interface: INTERFACE BUFFER_BYTES."""
import select
import signal
import sys

import pcapy

interface, buffer_size = sys.argv[1], int(sys.argv[2])
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
capture = pcapy.create(interface)
capture.set_snaplen(262_144)
capture.set_promisc(True)
capture.set_timeout(50)
capture.set_buffer_size(buffer_size)
if capture.activate() < 0:
    sys.exit(f"{interface} cannot be captured from")
capture.setnonblock(True)
frames = 0
while not stopped:
    select.select([capture.getfd()], [], [], 0.1)
    _, meta = capture.next_batch(2048)
    frames += len(meta) // 16
print(f"{frames} frames captured, {capture.stats()[1]} dropped", file=sys.stderr)
