"""One member of a group: `group_member.py BROKER GROUP TOPIC [KEY=VALUE ...]`; says what java/GroupMember.java says, in the same form."""

import sys
import threading
import time

from confluent_kafka import Consumer

BROKER, GROUP, TOPIC = sys.argv[1:4]
SETTINGS = dict(pair.split("=", 1) for pair in sys.argv[4:])


def say(what, partitions=()):
    numbers = ",".join(str(p.partition) for p in partitions)
    print(time.monotonic_ns(), what, numbers, flush=True)


def assigned(_, partitions):
    if partitions:
        say("assigned", partitions)


def revoked(_, partitions):
    if partitions:
        say("revoked", partitions)


consumer = Consumer(
    {
        "bootstrap.servers": BROKER,
        "group.id": GROUP,
        "client.id": "librdkafka",
        "auto.offset.reset": "earliest",
        "auto.commit.interval.ms": 100,
        "topic.metadata.refresh.interval.ms": 1000,
        **SETTINGS,
    }
)
consumer.subscribe([TOPIC], on_assign=assigned, on_revoke=revoked, on_lost=revoked)
reader = threading.Thread(target=sys.stdin.read, daemon=True)
reader.start()
while reader.is_alive():
    message = consumer.poll(0.1)
    if message is not None and message.error() is None:
        say("record %d %s" % (message.partition(), message.value().decode()))
consumer.close()
say("left")
