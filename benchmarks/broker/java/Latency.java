import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Measures latency with the Java client, records of 100 bytes, acks 1, linger 0:
 * {@code Latency ack|flow|single BROKER TOPIC RATE COUNT WARM_UP}.
 *
 * ack: from send to acknowledgement. flow: from send to the consumer that has it. single: the same, and the next record
 * is sent when the one before has arrived. The first WARM_UP records do not count. Prints microseconds: p50 p99 p99.9.
 */
public final class Latency {
    private static long[] latencies;
    private static int warmUp;
    private static final AtomicInteger finished = new AtomicInteger();

    private static void record(int number, long nanos) {
        if (number >= warmUp) latencies[number - warmUp] = nanos;
        finished.incrementAndGet();
    }

    private static KafkaProducer<byte[], byte[]> producer(String broker) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        settings.put("acks", "1");
        settings.put("linger.ms", "0");
        settings.put("enable.idempotence", "false");
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String broker, String topic) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        settings.put("fetch.max.wait.ms", "500");
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToEnd(List.of(partition));
        consumer.position(partition);
        return consumer;
    }

    private static ProducerRecord<byte[], byte[]> numbered(String topic, int number) {
        ByteBuffer value = ByteBuffer.allocate(100).putInt(number).putLong(System.nanoTime());
        return new ProducerRecord<>(topic, 0, null, value.array());
    }

    /** Sends at a fixed rate; a record that is late is sent at once. */
    private static void sendAll(KafkaProducer<byte[], byte[]> producer, String topic, int count, int rate, boolean atAck) {
        long gap = 1_000_000_000L / rate;
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            long due = start + i * gap;
            for (long now = System.nanoTime(); now < due; now = System.nanoTime()) LockSupport.parkNanos(due - now);
            int number = i;
            long sent = System.nanoTime();
            producer.send(numbered(topic, i), (metadata, error) -> {
                if (error != null) throw new IllegalStateException(error);
                if (atAck) record(number, System.nanoTime() - sent);
            });
        }
        producer.flush();
    }

    private static void receive(KafkaConsumer<byte[], byte[]> consumer, int until) {
        long deadline = System.nanoTime() + 120_000_000_000L;
        while (finished.get() < until && System.nanoTime() < deadline) {
            for (ConsumerRecord<byte[], byte[]> one : consumer.poll(Duration.ofMillis(100))) {
                ByteBuffer value = ByteBuffer.wrap(one.value());
                record(value.getInt(), System.nanoTime() - value.getLong());
            }
        }
    }

    public static void main(String[] args) throws Exception {
        String topic = args[2];
        int rate = Integer.parseInt(args[3]);
        warmUp = Integer.parseInt(args[5]);
        int count = Integer.parseInt(args[4]) + warmUp;
        latencies = new long[count - warmUp];
        try (KafkaProducer<byte[], byte[]> producer = producer(args[1])) {
            producer.partitionsFor(topic);
            if (args[0].equals("ack")) {
                sendAll(producer, topic, count, rate, true);
            } else {
                KafkaConsumer<byte[], byte[]> consumer = consumer(args[1], topic);
                if (args[0].equals("flow")) {
                    Thread sender = new Thread(() -> sendAll(producer, topic, count, rate, false));
                    sender.start();
                    receive(consumer, count);
                    sender.join();
                } else {
                    for (int i = 0; i < count; i++) {
                        producer.send(numbered(topic, i));
                        receive(consumer, i + 1);
                    }
                }
                consumer.close();
            }
        }
        if (finished.get() != count) throw new IllegalStateException(finished.get() + " of " + count + " came through");
        Arrays.sort(latencies);
        StringBuilder line = new StringBuilder();
        for (double share : new double[] {0.5, 0.99, 0.999}) {
            line.append(latencies[(int) Math.min(latencies.length - 1, latencies.length * share)] / 1_000).append(' ');
        }
        System.out.println(line.toString().trim());
    }
}
