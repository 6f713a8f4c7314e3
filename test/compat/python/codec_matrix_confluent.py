"""What java/CodecMatrix.java does, with confluent-kafka: `codec_matrix_confluent.py write|read BROKER TOPIC[=CODEC] ...`."""

import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

TIMEOUT_SECONDS = 60


def parsed(field):
    return None if field == "-" else bytes.fromhex(field[1:])


def shown(value):
    return "-" if value is None else "x" + value.hex()


def write(broker, topics):
    lines = sys.stdin.read().splitlines()
    for name, codec in (topic.split("=") for topic in topics):
        errors = []
        producer = Producer({"bootstrap.servers": broker, "compression.type": codec, "linger.ms": 50})
        for line in lines:
            timestamp, key, value, *headers = line.split(" ")
            producer.produce(
                name,
                parsed(value),
                key=parsed(key),
                partition=0,
                timestamp=int(timestamp),
                headers=[(parsed(k).decode(), parsed(v)) for k, v in (h.split("=") for h in headers)],
                on_delivery=lambda error, _: errors.append(error) if error is not None else None,
            )
        if producer.flush(TIMEOUT_SECONDS) > 0 or errors:
            raise AssertionError("%s: %s" % (name, errors or "not delivered"))


def read(broker, topics):
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "unused", "enable.partition.eof": True, "check.crcs": True})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in topics])
    left = set(topics)
    while left:
        message = consumer.poll(TIMEOUT_SECONDS)
        if message is None:
            raise AssertionError("nothing comes of %s" % left)
        if message.error() is not None:
            if message.error().name() != "_PARTITION_EOF":
                raise AssertionError(message.error())
            left.discard(message.topic())
            continue
        headers = ["%s=%s" % (shown(k.encode()), shown(v)) for k, v in message.headers() or []]
        print(message.topic(), message.timestamp()[1], shown(message.key()), shown(message.value()), *headers)
    consumer.close()


{"write": write, "read": read}[sys.argv[1]](sys.argv[2], sys.argv[3:])
