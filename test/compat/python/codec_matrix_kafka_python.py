"""What java/CodecMatrix.java does, with kafka-python: `codec_matrix_kafka_python.py write|read BROKER TOPIC[=CODEC] ...`."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

TIMEOUT_SECONDS = 60


def parsed(field):
    return None if field == "-" else bytes.fromhex(field[1:])


def shown(value):
    return "-" if value is None else "x" + value.hex()


def write(broker, topics):
    lines = sys.stdin.read().splitlines()
    for name, codec in (topic.split("=") for topic in topics):
        compression = None if codec == "none" else codec
        producer = KafkaProducer(bootstrap_servers=broker, compression_type=compression, linger_ms=50, acks="all")
        sent = []
        for line in lines:
            timestamp, key, value, *headers = line.split(" ")
            sent.append(
                producer.send(
                    name,
                    key=parsed(key),
                    value=parsed(value),
                    partition=0,
                    timestamp_ms=int(timestamp),
                    headers=[(parsed(k).decode(), parsed(v)) for k, v in (h.split("=") for h in headers)],
                )
            )
        for one in sent:
            one.get(timeout=TIMEOUT_SECONDS)
        producer.close()


def read(broker, topics):
    consumer = KafkaConsumer(bootstrap_servers=broker, check_crcs=True, consumer_timeout_ms=TIMEOUT_SECONDS * 1000)
    partitions = [TopicPartition(topic, 0) for topic in topics]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for batch in consumer.poll(timeout_ms=1000).values():
            for record in batch:
                headers = ["%s=%s" % (shown(k.encode()), shown(v)) for k, v in record.headers]
                print(record.topic, record.timestamp, shown(record.key), shown(record.value), *headers)
    consumer.close()


{"write": write, "read": read}[sys.argv[1]](sys.argv[2], sys.argv[3:])
