import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Utils;

/**
 * Two things that Java says about what a producer wrote. {@code read BROKER TOPIC}: every committed record of partition 0, a line each
 * with offset, timestamp, key, length and hash of the value, and headers. {@code partitions COUNT}: for each line of standard input,
 * a key in hexadecimal, its partition.
 */
public final class ProducedByUs {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("read")) read(args[1], args[2]);
        else partitions(Integer.parseInt(args[1]));
    }

    private static void read(String broker, String topic) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", broker);
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", "false");
        TopicPartition partition = new TopicPartition(topic, 0);
        StringBuilder out = new StringBuilder();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(java.util.List.of(partition));
            consumer.seekToBeginning(java.util.List.of(partition));
            long end = consumer.endOffsets(java.util.List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    out.append(record.offset()).append('|').append(record.timestamp()).append('|').append(record.key());
                    out.append('|').append(record.value() == null ? null : record.value().length());
                    out.append('|').append(record.value() == null ? null : record.value().hashCode());
                    for (Header header : record.headers()) out.append('|').append(header.key()).append('=')
                        .append(header.value() == null ? null : new String(header.value(), java.nio.charset.StandardCharsets.UTF_8));
                    out.append('\n');
                }
            }
        }
        System.out.print(out);
    }

    private static void partitions(int count) throws Exception {
        java.io.BufferedReader in = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        StringBuilder out = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            byte[] key = new byte[line.length() / 2];
            for (int at = 0; at < key.length; at++) key[at] = (byte) Integer.parseInt(line.substring(2 * at, 2 * at + 2), 16);
            out.append(Utils.toPositive(Utils.murmur2(key)) % count).append('\n');
        }
        System.out.print(out);
    }
}
