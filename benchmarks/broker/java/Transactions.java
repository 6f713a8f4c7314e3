import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Commits transactions one behind the other, in each of some producers: {@code Transactions BROKER TOPIC PRODUCERS RECORDS SECONDS}.
 *
 * Each transaction holds RECORDS records of 100 bytes, spread over the topic's partitions. Prints the transactions a second
 * of all producers together after a warm-up of two seconds, and the number of all transactions.
 */
public final class Transactions {
    private static final long WARM_UP_NANOS = 2_000_000_000L;

    private static KafkaProducer<byte[], byte[]> producer(String broker, String id) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", broker);
        settings.put("transactional.id", id);
        settings.put("linger.ms", 5);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Counted transactions, and all. */
    private static long[] run(KafkaProducer<byte[], byte[]> producer, String topic, int records, long nanos) {
        byte[] value = new byte[100];
        long counting = System.nanoTime() + WARM_UP_NANOS;
        long end = counting + nanos;
        long[] done = new long[2];
        while (System.nanoTime() < end) {
            producer.beginTransaction();
            for (int i = 0; i < records; i++) producer.send(new ProducerRecord<>(topic, value));
            producer.commitTransaction();
            long now = System.nanoTime();
            if (now > counting && now <= end) done[0]++;
            done[1]++;
        }
        return done;
    }

    public static void main(String[] args) throws Exception {
        int producers = Integer.parseInt(args[2]);
        int records = Integer.parseInt(args[3]);
        long nanos = (long) (Double.parseDouble(args[4]) * 1e9);
        List<KafkaProducer<byte[], byte[]>> open = new ArrayList<>();
        for (int i = 0; i < producers; i++) {
            KafkaProducer<byte[], byte[]> producer = producer(args[0], args[1] + "-" + i);
            producer.initTransactions();
            open.add(producer);
        }
        ExecutorService threads = Executors.newFixedThreadPool(producers);
        List<Callable<long[]>> loads = new ArrayList<>();
        for (KafkaProducer<byte[], byte[]> producer : open) loads.add(() -> run(producer, args[1], records, nanos));
        long counted = 0;
        long all = 0;
        for (Future<long[]> load : threads.invokeAll(loads)) {
            counted += load.get()[0];
            all += load.get()[1];
        }
        threads.shutdown();
        for (KafkaProducer<byte[], byte[]> producer : open) producer.close();
        System.out.println((counted * 1e9 / nanos) + " " + all);
    }
}
