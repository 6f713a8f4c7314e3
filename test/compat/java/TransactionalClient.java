import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Transactions with a Java client: {@code TransactionalClient BROKER}. Prints a line for each thing found true. */
public final class TransactionalClient {
    private static String broker;

    private static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
        System.out.println("ok " + what);
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static KafkaProducer<String, String> producer(String id) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        settings.put("transactional.id", id);
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        return producer;
    }

    private static KafkaConsumer<String, String> consumer(String group, String isolation) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        settings.put("group.id", group);
        settings.put("isolation.level", isolation);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    /** The values of both partitions up to the end that this kind of reader has. */
    private static List<String> values(String topic, String isolation) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> reader = consumer("auditor", isolation)) {
            List<TopicPartition> partitions = Arrays.asList(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (partitions.stream().anyMatch(p -> reader.position(p) < ends.get(p))) {
                if (System.nanoTime() > deadline) throw new AssertionError("read only " + values);
                for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(200))) values.add(record.value());
            }
        }
        Collections.sort(values);
        return values;
    }

    private static void send(KafkaProducer<String, String> producer, String topic, String... values) {
        producer.beginTransaction();
        for (int i = 0; i < values.length; i++) producer.send(new ProducerRecord<>(topic, i % 2, null, values[i]));
        producer.flush();
    }

    private static void commitAndAbort(Admin admin) throws Exception {
        try (KafkaProducer<String, String> writer = producer("writer")) {
            send(writer, "input", "a", "b", "c");
            TransactionDescription open = get(admin.describeTransactions(Collections.singleton("writer")).description("writer"));
            check(open.state() == TransactionState.ONGOING && open.topicPartitions().size() == 2, "an open transaction is described");
            List<TransactionListing> listed = new ArrayList<>(get(admin.listTransactions(
                new ListTransactionsOptions().filterStates(Collections.singleton(TransactionState.ONGOING))).all()));
            check(listed.size() == 1 && listed.get(0).producerId() == open.producerId(), "and listed by its state");
            check(values("input", "read_committed").isEmpty(), "nothing of it is read");
            writer.commitTransaction();
            send(writer, "input", "never", "ever");
            writer.abortTransaction();
            for (int i = 0; i < 200; i++) {
                send(writer, "input", "x" + i);
                if (i % 2 == 0) writer.abortTransaction(); else writer.commitTransaction();
            }
        }
        List<String> read = values("input", "read_committed");
        check(read.size() == 103 && read.subList(0, 3).equals(Arrays.asList("a", "b", "c")), "what was committed is read");
        check(values("input", "read_uncommitted").size() == 205, "what was aborted is there, and for others");
    }

    private static void fence() {
        try (KafkaProducer<String, String> zombie = producer("fenced")) {
            send(zombie, "fenced", "zombie");
            try (KafkaProducer<String, String> successor = producer("fenced")) {
                try {
                    zombie.commitTransaction();
                    throw new AssertionError("the fenced producer committed");
                } catch (ProducerFencedException | InvalidProducerEpochException expected) {
                    check(true, "the fenced producer cannot commit");
                }
                send(successor, "fenced", "successor");
                successor.commitTransaction();
            }
        }
        check(values("fenced", "read_committed").equals(Arrays.asList("successor")), "and its records are not read");
    }

    private static void copy() {
        try (KafkaProducer<String, String> writer = producer("copier");
             KafkaConsumer<String, String> reader = consumer("copiers", "read_committed")) {
            reader.subscribe(Collections.singleton("input"));
            int copied = 0;
            boolean aborted = false;
            while (copied < 103) {
                ConsumerRecords<String, String> records = reader.poll(Duration.ofSeconds(1));
                if (records.isEmpty()) continue;
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                writer.beginTransaction();
                for (ConsumerRecord<String, String> record : records) {
                    writer.send(new ProducerRecord<>("output", record.partition(), null, record.value()));
                }
                for (TopicPartition p : records.partitions()) offsets.put(p, new OffsetAndMetadata(reader.position(p)));
                writer.sendOffsetsToTransaction(offsets, reader.groupMetadata());
                if (!aborted) {
                    aborted = true;
                    writer.abortTransaction();
                    check(reader.committed(reader.assignment()).values().stream().allMatch(o -> o == null),
                        "an abort takes the offsets back");
                    reader.seekToBeginning(reader.assignment());
                    continue;
                }
                writer.commitTransaction();
                copied += records.count();
            }
            check(reader.committed(reader.assignment()).values().stream().allMatch(o -> o != null && o.offset() > 0),
                "a commit brings the offsets");
            // A producer of an old generation may not commit offsets for it.
            try {
                writer.beginTransaction();
                writer.sendOffsetsToTransaction(
                    Collections.singletonMap(new TopicPartition("input", 0), new OffsetAndMetadata(0)),
                    new org.apache.kafka.clients.consumer.ConsumerGroupMetadata("copiers", 99, "somebody", java.util.Optional.empty()));
                throw new AssertionError("a stranger's offsets were taken");
            } catch (KafkaException expected) {
                check(true, "a stranger's offsets are refused: " + expected.getClass().getSimpleName());
            }
            writer.abortTransaction();
        }
        check(values("output", "read_committed").equals(values("input", "read_committed")), "each record was copied once");
    }

    public static void main(String[] args) throws Exception {
        broker = args[0];
        try (Admin admin = Admin.create(Collections.singletonMap("bootstrap.servers", broker))) {
            List<NewTopic> topics = new ArrayList<>();
            for (String name : Arrays.asList("input", "output", "fenced")) topics.add(new NewTopic(name, 2, (short) 1));
            get(admin.createTopics(topics).all());
            commitAndAbort(admin);
            fence();
            copy();
        }
        System.out.println("done");
    }
}
