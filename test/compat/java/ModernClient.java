import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Drives a broker with the newest Java client: {@code ModernClient BROKER}. Prints a line for each thing found true. */
public final class ModernClient {
    private static final Duration WAIT = Duration.ofSeconds(60);
    private static String broker;

    private static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
        System.out.println("ok " + what);
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", broker);
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", broker);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    private static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long deadline = System.nanoTime() + WAIT.toNanos();
        while (records.size() < count && System.nanoTime() < deadline) {
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        }
        return records;
    }

    private static void produceAndConsume() throws Exception {
        int perCodec = 1000;
        List<String> codecs = List.of("none", "gzip", "snappy", "lz4", "zstd");
        List<RecordMetadata> acknowledged = new ArrayList<>();
        for (String codec : codecs) {
            try (KafkaProducer<String, String> producer = producer(Map.of("compression.type", codec, "linger.ms", 20))) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int i = 0; i < perCodec; i++) {
                    ProducerRecord<String, String> record =
                        new ProducerRecord<>("modern", i % 3, 1_700_000_000_000L + i, "k" + i, codec + " value " + i);
                    record.headers().add(new RecordHeader("n", ("" + i).getBytes()));
                    sent.add(producer.send(record));
                }
                for (Future<RecordMetadata> one : sent) acknowledged.add(one.get(60, TimeUnit.SECONDS));
            }
        }
        Set<String> where = new HashSet<>();
        for (RecordMetadata one : acknowledged) where.add(one.partition() + "@" + one.offset());
        check(where.size() == codecs.size() * perCodec, "idempotent producer: each record has a place of its own");
        try (KafkaConsumer<String, String> consumer = consumer(Map.of("group.id", "modern-group", "check.crcs", "true"))) {
            consumer.subscribe(List.of("modern"));
            List<ConsumerRecord<String, String>> records = read(consumer, codecs.size() * perCodec);
            int right = 0;
            for (ConsumerRecord<String, String> record : records) {
                int i = Integer.parseInt(record.key().substring(1));
                String number = new String(record.headers().lastHeader("n").value());
                boolean same = record.value().endsWith(" value " + i) && number.equals("" + i)
                    && record.timestamp() == 1_700_000_000_000L + i && record.partition() == i % 3
                    && record.leaderEpoch().equals(Optional.of(0));
                if (same) right++;
            }
            check(right == codecs.size() * perCodec, "every codec read back: value, header, time, partition, epoch");
            consumer.commitSync();
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
            check(committed.values().stream().mapToLong(OffsetAndMetadata::offset).sum() == 5000, "offsets committed");
        }
        try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
            TopicPartition zero = new TopicPartition("modern", 0);
            long found = consumer.offsetsForTimes(Map.of(zero, 1_700_000_000_300L)).get(zero).offset();
            check(found == 100, "offset by time");
            consumer.assign(List.of(zero));
            consumer.seek(zero, 1668);
            check(read(consumer, 2).get(0).offset() == 1668, "seek");
            check(consumer.currentLag(zero).orElse(-1) == 0, "lag");
        }
    }

    private static void topics(Admin admin) throws Exception {
        NewTopic topic = new NewTopic("modern", 3, (short) 1).configs(Map.of("retention.ms", "-1"));
        get(admin.createTopics(List.of(topic)).all());
        try {
            get(admin.createTopics(List.of(topic)).all());
            check(false, "a topic twice");
        } catch (java.util.concurrent.ExecutionException error) {
            check(error.getCause() instanceof TopicExistsException, "a topic twice is refused");
        }
        check(get(admin.listTopics().names()).contains("modern"), "listTopics");
        get(admin.createTopics(List.of(new NewTopic("wide", 1, (short) 1))).all());
        get(admin.createPartitions(Map.of("wide", NewPartitions.increaseTo(4))).all());
        TopicDescription wide = get(admin.describeTopics(List.of("wide")).allTopicNames()).get("wide");
        check(wide.partitions().size() == 4 && wide.partitions().get(3).leader().id() == 0, "createPartitions, describeTopics");
        check(get(admin.describeCluster().nodes()).size() == 1, "describeCluster");
        check(get(admin.describeCluster().clusterId()).length() == 22, "cluster id");
        get(admin.deleteTopics(List.of("wide")).all());
        try {
            get(admin.describeTopics(List.of("wide")).allTopicNames());
            check(false, "a deleted topic is gone");
        } catch (java.util.concurrent.ExecutionException error) {
            check(error.getCause() instanceof UnknownTopicOrPartitionException, "a deleted topic is gone");
        }
    }

    private static void configs(Admin admin) throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "modern");
        Collection<AlterConfigOp> changes = List.of(
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND),
            new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE),
            new AlterConfigOp(new ConfigEntry("max.message.bytes", "2000000"), AlterConfigOp.OpType.SET));
        get(admin.incrementalAlterConfigs(Map.of(topic, changes)).all());
        Config config = get(admin.describeConfigs(List.of(topic)).all()).get(topic);
        check(config.get("cleanup.policy").value().equals("delete,compact"), "append to a list");
        check(config.get("retention.ms").source() == ConfigEntry.ConfigSource.DEFAULT_CONFIG, "back to the default");
        check(config.get("max.message.bytes").source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "set");
        check(config.get("max.message.bytes").type() == ConfigEntry.ConfigType.INT, "types are described");
        Collection<AlterConfigOp> undo =
            List.of(new AlterConfigOp(new ConfigEntry("cleanup.policy", ""), AlterConfigOp.OpType.DELETE));
        get(admin.incrementalAlterConfigs(Map.of(topic, undo)).all());
        ConfigResource node = new ConfigResource(ConfigResource.Type.BROKER, "0");
        Config brokerConfig = get(admin.describeConfigs(List.of(node)).all()).get(node);
        check(brokerConfig.get("broker.id").value().equals("0") && brokerConfig.get("broker.id").isReadOnly(), "broker config");
        check(brokerConfig.entries().size() > 200, "every broker config is described");
    }

    private static void offsetsAndDirectories(Admin admin) throws Exception {
        TopicPartition zero = new TopicPartition("modern", 0);
        check(offset(admin, zero, OffsetSpec.latest()) == 1670, "listOffsets latest");
        check(offset(admin, zero, OffsetSpec.forTimestamp(1_700_000_000_003L)) == 1, "listOffsets by time");
        check(offset(admin, zero, OffsetSpec.maxTimestamp()) == 333, "listOffsets of the newest time");
        long low = get(admin.deleteRecords(Map.of(zero, RecordsToDelete.beforeOffset(20))).lowWatermarks().get(zero)).lowWatermark();
        check(low == 20 && offset(admin, zero, OffsetSpec.earliest()) == 20, "deleteRecords");
        Map<String, LogDirDescription> directories = get(admin.describeLogDirs(List.of(0)).allDescriptions()).get(0);
        LogDirDescription directory = directories.values().iterator().next();
        check(directory.replicaInfos().get(zero).size() > 1000 && directory.totalBytes().isPresent(), "describeLogDirs");
        check(get(admin.describeProducers(List.of(zero)).all()).get(zero).activeProducers().size() == 5, "describeProducers");
        Map<TopicPartition, Optional<Throwable>> elected =
            get(admin.electLeaders(ElectionType.PREFERRED, Collections.singleton(zero)).partitions());
        check(elected.get(zero).orElseThrow() instanceof ElectionNotNeededException, "electLeaders");
    }

    private static long offset(Admin admin, TopicPartition partition, OffsetSpec spec) throws Exception {
        return get(admin.listOffsets(Map.of(partition, spec)).partitionResult(partition)).offset();
    }

    private static void groups(Admin admin) throws Exception {
        check(get(admin.listConsumerGroups().all()).stream().anyMatch(one -> one.groupId().equals("modern-group")), "listConsumerGroups");
        check(get(admin.describeConsumerGroups(List.of("modern-group")).all()).get("modern-group").members().isEmpty(), "describe");
        check(get(admin.listConsumerGroupOffsets("modern-group").partitionsToOffsetAndMetadata()).size() == 3, "offsets");
        TopicPartition zero = new TopicPartition("modern", 0);
        get(admin.alterConsumerGroupOffsets("modern-group", Map.of(zero, new OffsetAndMetadata(7))).all());
        get(admin.deleteConsumerGroupOffsets("modern-group", Set.of(new TopicPartition("modern", 1))).all());
        Map<TopicPartition, OffsetAndMetadata> left =
            get(admin.listConsumerGroupOffsets("modern-group").partitionsToOffsetAndMetadata());
        check(left.size() == 2 && left.get(zero).offset() == 7, "alter and delete group offsets");
        get(admin.deleteConsumerGroups(Arrays.asList("modern-group")).all());
        check(get(admin.listConsumerGroups().all()).isEmpty(), "deleteConsumerGroups");
    }

    public static void main(String[] args) throws Exception {
        broker = args[0];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
            topics(admin);
            produceAndConsume();
            configs(admin);
            offsetsAndDirectories(admin);
            groups(admin);
        }
        System.out.println("done");
    }
}
