"""Transactions with confluent-kafka (librdkafka): confluent_transactions.py BROKER"""

import sys
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

WAIT = 60
broker = sys.argv[1]


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    print("ok " + what, flush=True)


def producer(transactional_id, **more):
    settings = {"bootstrap.servers": broker, "transactional.id": transactional_id}
    return Producer({**settings, **{key.replace("_", "."): value for key, value in more.items()}})


def read_all(topic, isolation, partitions=2):
    settings = {
        "bootstrap.servers": broker,
        "group.id": "auditor",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": isolation,
    }
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    values, ends, deadline = [], set(), time.time() + WAIT
    while len(ends) < partitions and time.time() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error() is None:
            values.append(message.value().decode())
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ends.add(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()
    check(len(ends) == partitions, "read " + topic + " to its end, " + isolation)
    return sorted(values)


def transaction(p, topic, values):
    p.begin_transaction()
    for index, value in enumerate(values):
        p.produce(topic, value.encode(), partition=index % 2)


admin = AdminClient({"bootstrap.servers": broker})
topics = ["tx-input", "tx-output", "tx-fenced"]
for future in admin.create_topics([NewTopic(name, 2, 1) for name in topics]).values():
    future.result(WAIT)

# Commits and aborts.
first = producer("writer")
first.init_transactions(WAIT)
transaction(first, "tx-input", ["a", "b", "c"])
first.commit_transaction(WAIT)
transaction(first, "tx-input", ["never"])
first.flush(WAIT)
first.abort_transaction(WAIT)
transaction(first, "tx-input", ["d"])
first.commit_transaction(WAIT)
check(read_all("tx-input", "read_committed") == ["a", "b", "c", "d"], "only what was committed is read")
check(read_all("tx-input", "read_uncommitted") == ["a", "b", "c", "d", "never"], "the rest is there")

# A second producer with the same id fences the first, and its open transaction is aborted.
transaction(first, "tx-fenced", ["zombie"])
first.flush(WAIT)
second = producer("writer")
second.init_transactions(WAIT)
try:
    first.commit_transaction(WAIT)
    check(False, "the fenced producer cannot commit")
except KafkaException as error:
    check(error.args[0].fatal(), "the fenced producer cannot commit: " + error.args[0].name())
transaction(second, "tx-fenced", ["successor"])
second.commit_transaction(WAIT)
check(read_all("tx-fenced", "read_committed") == ["successor"], "what the fenced producer wrote is not read")

# Consume, transform, produce; offsets go with the transaction.
group = {"bootstrap.servers": broker, "group.id": "copiers", "auto.offset.reset": "earliest"}
consumer = Consumer({**group, "enable.auto.commit": False, "isolation.level": "read_committed"})
consumer.subscribe(["tx-input"])
copied, deadline = 0, time.time() + WAIT
copier = producer("copier")
copier.init_transactions(WAIT)
attempts = 0
while copied < 4 and time.time() < deadline:
    messages = [message for message in consumer.consume(10, 1) if message.error() is None]
    if not messages:
        continue
    attempts += 1
    copier.begin_transaction()
    for message in messages:
        copier.produce("tx-output", b"copy of " + message.value(), partition=message.partition())
    positions = consumer.position(consumer.assignment())
    copier.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), WAIT)
    if attempts == 1:
        copier.abort_transaction(WAIT)
        committed = consumer.committed(consumer.assignment(), WAIT)
        check(all(partition.offset < 0 for partition in committed), "an abort takes the offsets back")
        for partition in consumer.assignment():
            consumer.seek(TopicPartition(partition.topic, partition.partition, 0))
        continue
    copier.commit_transaction(WAIT)
    copied += len(messages)
expected = ["copy of " + value for value in ["a", "b", "c", "d"]]
check(read_all("tx-output", "read_committed") == expected, "each message was copied once")
committed = consumer.committed(consumer.assignment(), WAIT)
check(sum(partition.offset > 0 for partition in committed) == 2, "the offsets came with the commit")
consumer.close()

# A transaction that takes too long is aborted, and its producer told so.
slow = producer("slow", transaction_timeout_ms=2000)
slow.init_transactions(WAIT)
transaction(slow, "tx-fenced", ["too late"])
slow.flush(WAIT)
time.sleep(5)
try:
    slow.commit_transaction(WAIT)
    check(False, "a transaction past its timeout cannot be committed")
except KafkaException as error:
    check(True, "a transaction past its timeout cannot be committed: " + error.args[0].name())
check(read_all("tx-fenced", "read_committed") == ["successor"], "and nothing of it is read")
groups = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("copiers")])
check(len(groups["copiers"].result(WAIT).topic_partitions) == 2, "an administrator sees the offsets")
print("done")
