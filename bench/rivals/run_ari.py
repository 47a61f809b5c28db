"""ari (ari-py), which runs on Python 2 alone: it blocks, so operations in flight are threads. See `pace.py`."""

# Python 2.7, so without annotations and f-strings.
# ruff: noqa: ANN001, ANN201, ANN202, UP031, PLC0415
# mypy: ignore-errors
import json
import logging
import sys
import threading
import time

import ari

logging.disable(logging.CRITICAL)
PATIENCE_S = 60.0


def cpu_s():
    """Return the CPU time of this process, all threads."""
    return time.clock()  # In Python 2 on Unix this is the process's CPU time.


def paced(one, in_flight, during_s):
    """Do an operation again and again, in so many threads; return operations a second, CPU microseconds for each."""
    ends_s = time.time() + during_s
    counts = []

    def again_and_again():
        done = 0
        while time.time() < ends_s:
            one()
            done += 1
        counts.append(done)

    threads = [threading.Thread(target=again_and_again) for _ in range(in_flight)]
    began_s, cpu_began_s = time.time(), cpu_s()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [sum(counts) / (time.time() - began_s), (cpu_s() - cpu_began_s) / sum(counts) * 1e6]


def main():
    """Do what is asked for."""
    import httplib

    todo = json.loads(sys.argv[1])
    client = ari.connect(str("http://%s:%d/" % (todo["host"], todo["port"])), str(todo["user"]), str(todo["password"]))
    times = []

    def note(_event):
        times.append((time.time(), cpu_s()))

    for kind in todo["kinds"]:
        client.on_event(str(kind), note)
    reader = threading.Thread(target=client.run, kwargs={"apps": str(todo["app"])})
    reader.daemon = True
    reader.start()
    time.sleep(0.5)

    def set_variable():
        client.channels.setChannelVar(channelId=str(todo["channel"]), variable="BENCH", value="1")

    operations = {"ping": client.asterisk.ping, "set variable": set_variable}
    for one in operations.values():
        one()
    result = {"operations": {}}
    for name, in_flight, during_s in todo["tasks"]:
        result["operations"]["%s/%d" % (name, in_flight)] = paced(operations[name], in_flight, during_s)
    if todo["events"]:
        connection = httplib.HTTPConnection(todo["host"], todo["port"], timeout=PATIENCE_S)
        connection.request("GET", "/replay?events=%d" % todo["events"])
        connection.getresponse().read()
        gives_up_s = time.time() + PATIENCE_S
        while len(times) < todo["events"] and time.time() < gives_up_s:
            time.sleep(0.05)
        came, per_s, cpu_us = len(times), 0.0, 0.0
        if came >= todo["events"]:
            (began_s, cpu_began_s), (ended_s, cpu_ended_s) = times[0], times[-1]
            per_s, cpu_us = (came - 1) / (ended_s - began_s), (cpu_ended_s - cpu_began_s) / came * 1e6
        result["events"] = {"came": came, "per_s": per_s, "cpu_us": cpu_us}
    sys.stdout.write(json.dumps(result) + "\n")


main()
