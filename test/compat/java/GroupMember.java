import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * One member of a group: {@code GroupMember BROKER GROUP TOPIC [KEY=VALUE ...]}. Prints a line for each thing that happens, with the time of the
 * machine's monotonic clock in nanoseconds: {@code TIME assigned 0,1}, {@code TIME revoked 0,1}, {@code TIME record PARTITION VALUE}.
 * Leaves the group when its standard input ends.
 */
public final class GroupMember {
    private static void say(String what) {
        System.out.println(System.nanoTime() + " " + what);
    }

    private static void say(String what, Collection<TopicPartition> partitions) {
        List<String> numbers = new ArrayList<>();
        for (TopicPartition partition : partitions) numbers.add(Integer.toString(partition.partition()));
        if (!numbers.isEmpty()) say(what + " " + String.join(",", numbers));
    }

    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("group.id", args[1]);
        settings.put("client.id", "java");
        settings.put("auto.offset.reset", "earliest");
        settings.put("auto.commit.interval.ms", "100");
        for (int at = 3; at < args.length; at++) {
            String[] pair = args[at].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        AtomicBoolean isOver = new AtomicBoolean();
        InputStream input = System.in;
        Thread reader = new Thread(() -> {
            try {
                while (input.read() >= 0) continue;
            } catch (java.io.IOException broken) {
                // As good as its end.
            }
            isOver.set(true);
        });
        reader.setDaemon(true);
        reader.start();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(args[2]), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    say("assigned", partitions);
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    say("revoked", partitions);
                }
            });
            while (!isOver.get()) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    say("record " + record.partition() + " " + record.value());
                }
            }
        }
        say("left");
    }
}
