import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Counts words with Kafka Streams and exactly_once_v2: {@code WordCount BROKER APPLICATION OUTPUT STATE_DIRECTORY EXPECTED
 * PAUSE_MICROS}. A read_committed consumer beside it prints {@code read N} now and then; after the expected number of
 * counts Streams is closed and every count is printed as {@code count PARTITION OFFSET WORD N}.
 */
public final class WordCount {
    private static String broker;

    private static KafkaStreams streams(String application, String output, String directory, long pauseMicros) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", broker);
        settings.put("application.id", application);
        settings.put("state.dir", directory);
        settings.put("processing.guarantee", StreamsConfig.EXACTLY_ONCE_V2);
        settings.put("num.stream.threads", "2");
        // Each word gives a count of its own, so that the output does not depend on when transactions end.
        settings.put("statestore.cache.max.bytes", "0");
        settings.put("default.key.serde", Serdes.String().getClass());
        settings.put("default.value.serde", Serdes.String().getClass());
        settings.put("auto.offset.reset", "earliest");
        settings.put("session.timeout.ms", "6000");
        settings.put("heartbeat.interval.ms", "500");
        settings.put("max.poll.records", "50");
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream("lines")
            .peek((key, line) -> LockSupport.parkNanos(pauseMicros * 1_000))
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word)
            .count()
            .toStream()
            .mapValues((word, count) -> word + " " + count)
            .to(output, Produced.with(Serdes.String(), Serdes.String()));
        return new KafkaStreams(builder.build(), settings);
    }

    private static KafkaConsumer<String, String> reader(String topic) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", broker);
        settings.put("isolation.level", "read_committed");
        KafkaConsumer<String, String> reader =
            new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        for (PartitionInfo info : reader.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
        reader.assign(partitions);
        reader.seekToBeginning(partitions);
        return reader;
    }

    /** Adds what there is to be read; true when something was. */
    private static boolean read(KafkaConsumer<String, String> reader, List<ConsumerRecord<String, String>> counts) {
        int before = counts.size();
        for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(100))) counts.add(record);
        if (counts.size() > before) System.out.println("read " + counts.size());
        return counts.size() > before;
    }

    public static void main(String[] args) {
        broker = args[0];
        int expected = Integer.parseInt(args[4]);
        List<ConsumerRecord<String, String>> counts = new ArrayList<>();
        try (KafkaStreams streams = streams(args[1], args[2], args[3], Long.parseLong(args[5]));
             KafkaConsumer<String, String> reader = reader(args[2])) {
            streams.start();
            while (counts.size() < expected) {
                read(reader, counts);
                if (streams.state() == KafkaStreams.State.ERROR) throw new AssertionError("Streams gave up");
            }
            if (!streams.close(Duration.ofSeconds(60))) throw new AssertionError("Streams does not close");
            Map<TopicPartition, Long> ends = reader.endOffsets(reader.assignment());
            while (ends.entrySet().stream().anyMatch(end -> reader.position(end.getKey()) < end.getValue())) read(reader, counts);
        }
        for (ConsumerRecord<String, String> count : counts) {
            System.out.println("count " + count.partition() + " " + count.offset() + " " + count.value());
        }
        System.out.println("done");
    }
}
