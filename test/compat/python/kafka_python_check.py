"""Drives a broker with kafka-python, 2.0.2 or 3: `kafka_python_check.py BROKER`. Prints one line for each thing found true."""

import sys
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata

BROKER = sys.argv[1]
CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
TIMEOUT_SECONDS = 60


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    print("ok", what, flush=True)


def consume(consumer, count):
    """Reads `count` records or whatever comes within the bound."""
    records = []
    deadline = time.time() + TIMEOUT_SECONDS
    while len(records) < count and time.time() < deadline:
        for batch in consumer.poll(timeout_ms=500).values():
            records.extend(batch)
    return records


def wait_for(condition, what):
    deadline = time.time() + TIMEOUT_SECONDS
    while time.time() < deadline and not condition():
        time.sleep(0.05)
    check(condition(), what)


class Member(threading.Thread):
    """A member of a group that polls in a thread of its own: a rebalance needs all members polling at once."""

    def __init__(self, topic, options):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(**options)
        # kafka-python 3.0.12 may lose the assignment of a join that it repeats because it did not know the topic yet.
        self.consumer.partitions_for_topic(topic)
        self.consumer.subscribe([topic])
        self.assignment = ()
        self.values = []
        self.stopped = False
        self.start()

    def run(self):
        while not self.stopped:
            for batch in self.consumer.poll(timeout_ms=500).values():
                self.values.extend(int(record.value) for record in batch)
            self.assignment = tuple(self.consumer.assignment())
        self.consumer.close()

    def stop(self):
        self.stopped = True
        self.join(TIMEOUT_SECONDS)


def produce_and_consume():
    for codec in CODECS:
        topic = "codec-%s" % codec
        producer = KafkaProducer(
            bootstrap_servers=BROKER, compression_type=codec, linger_ms=50, acks="all", max_block_ms=TIMEOUT_SECONDS * 1000
        )
        sent = [
            producer.send(topic, key=b"k%d" % i, value=b"value %d " % i * 10, headers=[("n", b"%d" % i)]) for i in range(500)
        ]
        offsets = [future.get(timeout=TIMEOUT_SECONDS).offset for future in sent]
        producer.close()
        check(offsets == list(range(500)), "acknowledged in order, codec %s" % codec)
        consumer = KafkaConsumer(topic, bootstrap_servers=BROKER, auto_offset_reset="earliest", consumer_timeout_ms=1000)
        got = [(r.offset, r.key, r.value, [tuple(h) for h in r.headers]) for r in consume(consumer, 500)]
        consumer.close()
        want = [(i, b"k%d" % i, b"value %d " % i * 10, [("n", b"%d" % i)]) for i in range(500)]
        check(got == want, "read back, codec %s" % codec)


def old_versions():
    for acks in (0, 1):
        producer = KafkaProducer(bootstrap_servers=BROKER, acks=acks, api_version=(0, 10, 2))
        for i in range(50):
            producer.send("old", b"%d-%d" % (acks, i), timestamp_ms=1600000000000 + i)
        producer.flush(timeout=TIMEOUT_SECONDS)
        producer.close()
    consumer = KafkaConsumer("old", bootstrap_servers=BROKER, auto_offset_reset="earliest")
    got = consume(consumer, 100)
    consumer.close()
    check(sorted(r.value for r in got) == sorted(b"%d-%d" % (a, i) for a in (0, 1) for i in range(50)), "message format 1")
    check({r.value: r.timestamp for r in got}[b"1-7"] == 1600000000007, "its timestamps")


def offsets():
    admin = KafkaAdminClient(bootstrap_servers=BROKER)
    admin.create_topics([NewTopic("timed", 1, 1)])
    producer = KafkaProducer(bootstrap_servers=BROKER)
    for i in range(10):
        producer.send("timed", b"%d" % i, timestamp_ms=1700000000000 + 1000 * i).get(timeout=TIMEOUT_SECONDS)
    producer.close()
    partition = TopicPartition("timed", 0)
    consumer = KafkaConsumer(bootstrap_servers=BROKER)
    found = consumer.offsets_for_times({partition: 1700000004500})[partition]
    check((found.offset, found.timestamp) == (5, 1700000005000), "offset by time")
    check(consumer.offsets_for_times({partition: 1800000000000})[partition] is None, "no offset after the last")
    check(consumer.beginning_offsets([partition]) == {partition: 0}, "beginning")
    check(consumer.end_offsets([partition]) == {partition: 10}, "end")
    consumer.assign([partition])
    consumer.seek(partition, 8)
    check([r.value for r in consume(consumer, 2)] == [b"8", b"9"], "seek")
    consumer.close()
    admin.close()


def group():
    admin = KafkaAdminClient(bootstrap_servers=BROKER)
    admin.create_topics([NewTopic("grouped", 4, 1)])
    producer = KafkaProducer(bootstrap_servers=BROKER)
    for i in range(200):
        producer.send("grouped", b"%d" % i, partition=i % 4)
    producer.flush(timeout=TIMEOUT_SECONDS)
    options = {"bootstrap_servers": BROKER, "group_id": "py", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    first = KafkaConsumer("grouped", **options)
    check(len(consume(first, 200)) == 200, "a group of one reads all")
    first.commit()
    check(all(first.committed(TopicPartition("grouped", p)) == 50 for p in range(4)), "committed")
    first.close()
    members = [Member("grouped", options)]
    wait_for(lambda: len(members[0].assignment) == 4, "one member has all")
    members.append(Member("grouped", options))
    wait_for(lambda: [len(m.assignment) for m in members] == [2, 2], "two members share")
    for i in range(200, 300):
        producer.send("grouped", b"%d" % i, partition=i % 4)
    producer.flush(timeout=TIMEOUT_SECONDS)
    wait_for(lambda: sum(len(m.values) for m in members) >= 100, "both read on")
    for member in members:
        member.stop()
    check(sorted(members[0].values + members[1].values) == list(range(200, 300)), "only what is new")
    one = KafkaConsumer(**options)
    partition = TopicPartition("grouped", 3)
    try:
        metadata = OffsetAndMetadata(60, "note", -1)
    except TypeError:
        metadata = OffsetAndMetadata(60, "note")
    one.commit({partition: metadata})
    check(one.committed(partition, metadata=True).metadata == "note", "committed metadata")
    one.close()
    producer.close()
    admin.close()


def administration():
    admin = KafkaAdminClient(bootstrap_servers=BROKER)
    admin.create_topics([NewTopic("made", 2, 1, topic_configs={"retention.ms": "60000"})])
    check("made" in admin.list_topics(), "create and list")
    admin.create_partitions({"made": NewPartitions(3)})
    described = [t for t in admin.describe_topics(["made"])][0]
    check(len(described["partitions"]) == 3, "create partitions and describe")
    groups = admin.list_consumer_groups() if hasattr(admin, "list_consumer_groups") else admin.list_groups()
    names = [g["group_id"] if isinstance(g, dict) else g[0] for g in groups]
    check("py" in names, "list groups")
    offsets_of = admin.list_consumer_group_offsets if hasattr(admin, "list_consumer_group_offsets") else admin.list_group_offsets
    found = offsets_of("py")
    found = found.get("py", found) if isinstance(found, dict) else found
    check(set(found) == {TopicPartition("grouped", p) for p in range(4)}, "group offsets")
    configs = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "made")])
    check("60000" in str(configs), "describe configs")
    admin.delete_topics(["made"])
    check("made" not in admin.list_topics(), "delete")
    admin.close()


for step in (produce_and_consume, old_versions, offsets, group, administration):
    step()
print("done", flush=True)
