import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * {@code CodecMatrix write BROKER TOPIC=CODEC ...} writes the records of its standard input to each topic; {@code CodecMatrix read BROKER TOPIC ...}
 * prints those of partition 0 of each. A record is a line of fields between spaces: timestamp, key, value, headers; bytes in hexadecimal behind
 * an {@code x}, null as {@code -}; each header its name, {@code =}, its value. What is read has the topic before it.
 */
public final class CodecMatrix {
    private static final HexFormat HEX = HexFormat.of();

    private static byte[] bytes(String field) {
        return field.equals("-") ? null : HEX.parseHex(field.substring(1));
    }

    private static String field(byte[] bytes) {
        return bytes == null ? "-" : "x" + HEX.formatHex(bytes);
    }

    private static void write(String broker, List<String> topics) throws Exception {
        List<String> lines = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
        for (String topic : topics) {
            String[] pair = topic.split("=");
            Properties settings = new Properties();
            settings.put("bootstrap.servers", broker);
            settings.put("compression.type", pair[1]);
            settings.put("linger.ms", "50");
            try (KafkaProducer<byte[], byte[]> producer =
                    new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (String line : lines) {
                    String[] fields = line.split(" ");
                    ProducerRecord<byte[], byte[]> record =
                        new ProducerRecord<>(pair[0], 0, Long.valueOf(fields[0]), bytes(fields[1]), bytes(fields[2]));
                    for (int at = 3; at < fields.length; at++) {
                        String[] header = fields[at].split("=");
                        record.headers().add(new String(bytes(header[0]), "UTF-8"), bytes(header[1]));
                    }
                    sent.add(producer.send(record));
                }
                for (Future<RecordMetadata> one : sent) one.get();
            }
        }
    }

    private static void read(String broker, List<String> topics) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", broker);
        settings.put("enable.auto.commit", "false");
        StringBuilder out = new StringBuilder();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = topics.stream().map(topic -> new TopicPartition(topic, 0)).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    out.append(record.topic()).append(' ').append(record.timestamp()).append(' ');
                    out.append(field(record.key())).append(' ').append(field(record.value()));
                    for (Header header : record.headers()) out.append(' ')
                        .append(field(header.key().getBytes(java.nio.charset.StandardCharsets.UTF_8))).append('=')
                        .append(field(header.value()));
                    out.append('\n');
                }
            }
        }
        System.out.print(out);
    }

    public static void main(String[] args) throws Exception {
        List<String> topics = List.of(args).subList(2, args.length);
        if (args[0].equals("write")) write(args[1], topics);
        else read(args[1], topics);
    }
}
