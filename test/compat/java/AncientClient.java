import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Drives a broker with Java clients of before record batches (0.9, 0.10): {@code AncientClient BROKER MODERN}. Topics
 * {@code ancient} (two partitions), {@code large} and {@code modern} are there; the last holds MODERN records of a modern
 * producer, transactions among them. Prints a line for each thing found true.
 */
public final class AncientClient {
    private static final TopicPartition ZERO = new TopicPartition("ancient", 0);
    private static String broker;

    private static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
        System.out.println("ok " + what);
    }

    private static Map<String, Object> settings(String... more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return settings;
    }

    private static KafkaConsumer<String, String> consumer(String... more) {
        Map<String, Object> settings = settings(more);
        settings.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    private static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (records.size() < count && System.nanoTime() < deadline) consumer.poll(200).forEach(records::add);
        return records;
    }

    /** The record's time; null from a client that does not know such a thing. */
    private static Long timestamp(ConsumerRecord<String, String> record) throws Exception {
        try {
            return (Long) record.getClass().getMethod("timestamp").invoke(record);
        } catch (NoSuchMethodException unknown) {
            return null;
        }
    }

    private static int produce() throws Exception {
        int perRun = 400;
        String[][] runs = {
            {"compression.type", "none", "acks", "all"},
            {"compression.type", "gzip", "acks", "1"},
            {"compression.type", "snappy", "acks", "all"},
            {"compression.type", "lz4", "acks", "all"},
        };
        for (String[] run : runs) {
            Map<String, Object> settings = settings(run);
            settings.put("linger.ms", "20");
            KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < perRun; i++) {
                sent.add(producer.send(new ProducerRecord<>("ancient", i % 2, i == 7 ? null : "k" + i, run[1] + i)));
            }
            long last = -1;
            for (int i = 0; i < perRun; i += 2) {
                long offset = sent.get(i).get(60, TimeUnit.SECONDS).offset();
                if (last >= 0 && offset != last + 1) throw new AssertionError("offset " + offset + " after " + last);
                last = offset;
            }
            producer.close();
            System.out.println("ok produced with " + run[1]);
        }
        return runs.length * perRun;
    }

    private static void consume(int count) throws Exception {
        long now = System.currentTimeMillis();
        KafkaConsumer<String, String> consumer = consumer("group.id", "ancient-group");
        consumer.subscribe(Collections.singletonList("ancient"));
        Set<String> seen = new HashSet<>();
        int right = 0;
        for (ConsumerRecord<String, String> record : read(consumer, count)) {
            boolean key = record.key() == null ? record.value().endsWith("7") : record.value().endsWith(record.key().substring(1));
            Long time = timestamp(record);
            if (key && seen.add(record.partition() + "/" + record.offset()) && (time == null || now - time < 120_000)) right++;
        }
        check(right == count, "every record read back once, with key and value");
        consumer.commitSync();
        check(consumer.committed(ZERO).offset() == count / 2, "offset committed");
        consumer.close();

        consumer = consumer("group.id", "ancient-group");
        consumer.assign(Collections.singletonList(ZERO));
        consumer.seek(ZERO, count / 2 - 1);
        check(read(consumer, 1).get(0).offset() == count / 2 - 1, "seek");
        check(consumer.position(ZERO) == count / 2, "position at the end");
        consumer.close();
    }

    /** What a modern producer wrote, seen through old eyes: no headers, no markers of transactions, no gaps in what counts. */
    private static void consumeModern(int count) {
        KafkaConsumer<String, String> consumer = consumer("group.id", "ancient-modern");
        consumer.subscribe(Collections.singletonList("modern"));
        List<ConsumerRecord<String, String>> records = read(consumer, count);
        boolean inOrder = true;
        for (int i = 0; i < records.size(); i++) inOrder &= records.get(i).value().equals("m" + i);
        check(records.size() == count && inOrder, "records of a modern producer read");
        for (int i = 0; i < 5; i++) check(consumer.poll(200).isEmpty(), "nothing behind them");
        consumer.close();
    }

    private static void consumeLarge() throws Exception {
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer());
        char[] large = new char[50_000];
        Arrays.fill(large, 'x');
        for (int i = 0; i < 3; i++) producer.send(new ProducerRecord<>("large", "k", new String(large))).get(60, TimeUnit.SECONDS);
        producer.close();
        KafkaConsumer<String, String> consumer = consumer("group.id", "ancient-large", "max.partition.fetch.bytes", "1024");
        consumer.subscribe(Collections.singletonList("large"));
        check(read(consumer, 3).size() == 3, "records larger than the fetch size read");
        consumer.close();
    }

    /** Two members share two partitions, and the one that stays gets both. */
    private static void rebalance() throws Exception {
        Member one = new Member();
        Member two = new Member();
        one.start();
        two.start();
        one.await(1);
        two.await(1);
        check(!one.assigned.equals(two.assigned), "two members share the partitions");
        two.finish();
        one.await(2);
        one.finish();
        check(true, "the member that stays takes over");
    }

    private static final class Member extends Thread {
        volatile Set<TopicPartition> assigned = Collections.emptySet();
        private volatile boolean isOver;

        @Override
        public void run() {
            KafkaConsumer<String, String> consumer =
                consumer("group.id", "ancient-two", "session.timeout.ms", "10000", "heartbeat.interval.ms", "500");
            consumer.subscribe(Collections.singletonList("ancient"));
            while (!isOver) {
                consumer.poll(100);
                assigned = new HashSet<>(consumer.assignment());
            }
            consumer.close();
        }

        void await(int count) throws Exception {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (assigned.size() != count) {
                if (System.nanoTime() > deadline) throw new AssertionError("assigned " + assigned + " and not " + count);
                Thread.sleep(20);
            }
        }

        void finish() throws Exception {
            isOver = true;
            join();
        }
    }

    /** Offsets by time, which clients have since 0.10.1. */
    private static void offsets(int count) throws Exception {
        KafkaConsumer<String, String> consumer = consumer();
        try {
            Method byTime = KafkaConsumer.class.getMethod("offsetsForTimes", Map.class);
            Object found = ((Map<?, ?>) byTime.invoke(consumer, Collections.singletonMap(ZERO, 1L))).get(ZERO);
            check(found.toString().contains("offset=0"), "offset by time: " + found);
            Method ends = KafkaConsumer.class.getMethod("endOffsets", java.util.Collection.class);
            Object end = ((Map<?, ?>) ends.invoke(consumer, Collections.singleton(ZERO))).get(ZERO);
            check(end.equals((long) count / 2), "end");
            consumeLarge();
        } catch (NoSuchMethodException unknown) {
            System.out.println("ok this client knows no offsets by time");
        } finally {
            consumer.close();
        }
    }

    public static void main(String[] args) throws Exception {
        broker = args[0];
        int count = produce();
        consume(count);
        consumeModern(Integer.parseInt(args[1]));
        rebalance();
        offsets(count);
        System.out.println("done");
    }
}
