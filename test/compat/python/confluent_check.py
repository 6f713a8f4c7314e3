"""Drives a broker with confluent-kafka, which is librdkafka: `confluent_check.py BROKER`. Prints a line for each thing found true."""

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

BROKER = sys.argv[1]
TIMEOUT_SECONDS = 60


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    print("ok", what, flush=True)


def results(futures):
    return {key: future.result(TIMEOUT_SECONDS) for key, future in futures.items()}


def produce(topic, values, partitions, **settings):
    """Produces and gives (partition, offset) as acknowledged, by value."""
    where = {}
    errors = []

    def acknowledged(error, message):
        if error is not None:
            errors.append(str(error))
        else:
            where[message.value()] = (message.partition(), message.offset())

    producer = Producer({"bootstrap.servers": BROKER, **settings})
    for i, value in enumerate(values):
        producer.produce(topic, value, partition=i % partitions, on_delivery=acknowledged)
        producer.poll(0)
    producer.flush(TIMEOUT_SECONDS)
    if errors:
        raise AssertionError(errors[0])
    return where


def consumer_of(group, **settings):
    return Consumer(
        {
            "bootstrap.servers": BROKER,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 30000,
            "heartbeat.interval.ms": 500,
            **settings,
        }
    )


def poll_all(members, enough):
    """Polls the members in turn until `enough()` or the bound."""
    deadline = time.time() + TIMEOUT_SECONDS
    messages = []
    while time.time() < deadline and not enough(messages):
        for member in members:
            message = member.poll(0.02)
            if message is not None and message.error() is None:
                messages.append(message)
    return messages


def idempotent(admin):
    results(admin.create_topics([NewTopic("exact", 3, 1)]))
    values = [b"value %d" % i for i in range(20000)]
    where = produce("exact", values, 3, **{"enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"})
    check(len(where) == 20000, "idempotent producer: all acknowledged")
    check([where[v] for v in values] == [(i % 3, i // 3) for i in range(20000)], "in order, no duplicate")
    reader = consumer_of("exact-reader")
    reader.assign([TopicPartition("exact", p, OFFSET_BEGINNING) for p in range(3)])
    got = poll_all([reader], lambda messages: len(messages) >= 20000)
    check({m.value(): (m.partition(), m.offset()) for m in got} == where, "read back where acknowledged")
    reader.close()


def assigned(members):
    return [sorted(p.partition for p in member.assignment()) for member in members]


def cooperative(admin):
    results(admin.create_topics([NewTopic("coop", 6, 1)]))
    revoked = []
    strategy = {"partition.assignment.strategy": "cooperative-sticky"}
    first, second = consumer_of("coop", **strategy), consumer_of("coop", **strategy)
    first.subscribe(["coop"], on_revoke=lambda _, partitions: revoked.extend(p.partition for p in partitions))
    poll_all([first], lambda _: len(first.assignment()) == 6)
    check(assigned([first]) == [[0, 1, 2, 3, 4, 5]], "cooperative-sticky: one has all")
    second.subscribe(["coop"])
    poll_all([first, second], lambda _: [len(p) for p in assigned([first, second])] == [3, 3])
    check(sorted(sum(assigned([first, second]), [])) == [0, 1, 2, 3, 4, 5], "two share")
    check(len(revoked) == 3, "only what moved was revoked")
    produce("coop", [b"%d" % i for i in range(600)], 6)
    got = poll_all([first, second], lambda messages: len(messages) >= 600)
    check(sorted(int(m.value()) for m in got) == list(range(600)), "each record once")
    first.commit(asynchronous=False)
    second.close()
    first.close()


def static(admin):
    results(admin.create_topics([NewTopic("static", 4, 1)]))
    members = [consumer_of("static", **{"group.instance.id": "instance-%d" % i}) for i in range(2)]
    for member in members:
        member.subscribe(["static"])
    poll_all(members, lambda _: [len(p) for p in assigned(members)] == [2, 2])
    before = assigned(members)
    rebalances = []
    members[1].close()
    members[1] = consumer_of("static", **{"group.instance.id": "instance-1"})
    members[1].subscribe(["static"], on_assign=lambda _, partitions: rebalances.append(len(partitions)))
    poll_all(members, lambda _: len(members[1].assignment()) == 2)
    check(assigned(members) == before, "a static member that returns gets back what it had")
    described = results(admin.describe_consumer_groups(["static"]))["static"]
    check(sorted(m.group_instance_id for m in described.members) == ["instance-0", "instance-1"], "described by instance")
    for member in members:
        member.close()


def administration(admin):
    results(admin.create_topics([NewTopic("made", 2, 1, config={"retention.ms": "60000"})]))
    results(admin.create_partitions([NewPartitions("made", 5)]))
    topic = admin.list_topics("made", timeout=TIMEOUT_SECONDS).topics["made"]
    check(len(topic.partitions) == 5, "create topic and partitions")
    resource = ConfigResource(ResourceType.TOPIC, "made")
    change = ConfigEntry("max.message.bytes", "4321", incremental_operation=AlterConfigOpType.SET)
    results(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, "made", incremental_configs=[change])]))
    configs = results(admin.describe_configs([resource]))[resource]
    check((configs["retention.ms"].value, configs["max.message.bytes"].value) == ("60000", "4321"), "configs")
    offsets = results(admin.list_offsets({TopicPartition("exact", 0): OffsetSpec.latest()}))
    check([o.offset for o in offsets.values()] == [6667], "list offsets")
    results(admin.delete_records([TopicPartition("exact", 0, 100)]))
    offsets = results(admin.list_offsets({TopicPartition("exact", 0): OffsetSpec.earliest()}))
    check([o.offset for o in offsets.values()] == [100], "delete records")
    groups = admin.list_consumer_groups().result(TIMEOUT_SECONDS)
    check({"coop", "static"} <= {g.group_id for g in groups.valid}, "list groups")
    committed = results(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("coop")]))["coop"]
    check(len(committed.topic_partitions) > 0, "group offsets")
    cluster = admin.describe_cluster().result(TIMEOUT_SECONDS)
    check([n.id for n in cluster.nodes] == [0] and len(cluster.cluster_id) == 22, "describe cluster")
    results(admin.delete_consumer_groups(["coop"]))
    results(admin.delete_topics(["made"]))
    deadline = time.time() + TIMEOUT_SECONDS
    while "made" in admin.list_topics(timeout=TIMEOUT_SECONDS).topics and time.time() < deadline:
        time.sleep(0.1)
    check("made" not in admin.list_topics(timeout=TIMEOUT_SECONDS).topics, "delete topic")


client = AdminClient({"bootstrap.servers": BROKER})
for step in (idempotent, cooperative, static, administration):
    step(client)
print("done", flush=True)
