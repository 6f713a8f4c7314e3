import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Drives a broker with the Java client of 2017 (0.11): {@code OldClient BROKER}. Prints a line for each thing found true. */
public final class OldClient {
    private static String broker;

    private static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
        System.out.println("ok " + what);
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Map<String, Object> settings(String... more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return settings;
    }

    private static KafkaConsumer<String, String> consumer(String... more) {
        return new KafkaConsumer<>(settings(more), new StringDeserializer(), new StringDeserializer());
    }

    private static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (records.size() < count && System.nanoTime() < deadline) consumer.poll(200).forEach(records::add);
        return records;
    }

    private static void produceAndConsume() throws Exception {
        int perRun = 500;
        String[][] runs = {
            {"compression.type", "none", "enable.idempotence", "true"},
            {"compression.type", "gzip", "acks", "1"},
            {"compression.type", "snappy", "acks", "all"},
            {"compression.type", "lz4", "acks", "all"},
        };
        for (String[] run : runs) {
            KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings(run), new StringSerializer(), new StringSerializer());
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < perRun; i++) {
                ProducerRecord<String, String> record = new ProducerRecord<>("old", i % 2, "k" + i, run[1] + i);
                record.headers().add(new RecordHeader("n", ("" + i).getBytes()));
                sent.add(producer.send(record));
            }
            for (Future<RecordMetadata> one : sent) one.get(60, TimeUnit.SECONDS);
            producer.close();
        }
        int all = runs.length * perRun;
        try (KafkaConsumer<String, String> consumer = consumer("group.id", "old-group", "auto.offset.reset", "earliest")) {
            consumer.subscribe(Collections.singletonList("old"));
            int right = 0;
            for (ConsumerRecord<String, String> record : read(consumer, all)) {
                String number = record.key().substring(1);
                boolean header = new String(record.headers().lastHeader("n").value()).equals(number);
                if (header && record.value().endsWith(number)) right++;
            }
            check(right == all, "every record read back with key, value and header");
            consumer.commitSync();
            check(consumer.committed(new TopicPartition("old", 1)).offset() == all / 2, "offset committed");
        }
        try (KafkaConsumer<String, String> consumer = consumer()) {
            TopicPartition zero = new TopicPartition("old", 0);
            check(consumer.endOffsets(Collections.singleton(zero)).get(zero) == all / 2, "end");
            check(consumer.offsetsForTimes(Collections.singletonMap(zero, 1L)).get(zero).offset() == 0, "offset by time");
            consumer.assign(Collections.singleton(zero));
            consumer.seek(zero, all / 2 - 1);
            check(read(consumer, 1).get(0).offset() == all / 2 - 1, "seek");
        }
    }

    public static void main(String[] args) throws Exception {
        broker = args[0];
        try (AdminClient admin = AdminClient.create(settings())) {
            get(admin.createTopics(Collections.singleton(new NewTopic("old", 2, (short) 1))).all());
            check(get(admin.listTopics().names()).contains("old"), "topic created");
            check(get(admin.describeTopics(Collections.singleton("old")).all()).get("old").partitions().size() == 2, "described");
            check(get(admin.describeCluster().nodes()).size() == 1, "cluster described");
            ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "old");
            Config config = get(admin.describeConfigs(Collections.singleton(topic)).all()).get(topic);
            check(config.get("cleanup.policy").value().equals("delete"), "configs described");
            produceAndConsume();
            get(admin.deleteTopics(Collections.singleton("old")).all());
        }
        System.out.println("done");
    }
}
