import java.io.DataInputStream;
import java.io.FileInputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Reads messages with the classes that Kafka generates from its schemas, writes them again, and prints every one whose bytes differ.
 *
 * The file holds, again and again: name (UTF), version (int16), size (int32), bytes. The last line printed is
 * "read N, other versions M, other classes [names]".
 */
public class RoundTrip {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.",
        "org.apache.kafka.coordinator.group.generated.",
        "org.apache.kafka.coordinator.transaction.generated.",
        "org.apache.kafka.server.log.remote.metadata.storage.generated.",
    };

    public static void main(String[] args) throws Exception {
        Map<String, Class<?>> classes = new HashMap<>();
        List<String> missing = new ArrayList<>();
        int read = 0;
        int otherVersions = 0;
        try (DataInputStream in = new DataInputStream(new FileInputStream(args[0]))) {
            while (in.available() > 0) {
                String name = in.readUTF();
                short version = in.readShort();
                byte[] bytes = new byte[in.readInt()];
                in.readFully(bytes);
                if (!classes.containsKey(name)) {
                    classes.put(name, find(name));
                    if (classes.get(name) == null) missing.add(name);
                }
                if (classes.get(name) == null) continue;
                Message message = (Message) classes.get(name).getConstructor().newInstance();
                if (version < message.lowestSupportedVersion() || version > message.highestSupportedVersion()) {
                    otherVersions++;
                    continue;
                }
                read++;
                check(name, version, bytes, message);
            }
        }
        System.out.println("read " + read + ", other versions " + otherVersions + ", other classes " + missing);
    }

    private static void check(String name, short version, byte[] bytes, Message message) {
        try {
            ByteBuffer input = ByteBuffer.wrap(bytes);
            message.read(new ByteBufferAccessor(input), version);
            if (input.hasRemaining()) throw new IllegalStateException(input.remaining() + " bytes left");
            ObjectSerializationCache cache = new ObjectSerializationCache();
            ByteBuffer output = ByteBuffer.allocate(message.size(cache, version));
            message.write(new ByteBufferAccessor(output), cache, version);
            if (!Arrays.equals(output.array(), bytes)) throw new IllegalStateException("bytes differ");
        } catch (Throwable failure) {
            System.out.println(name + " v" + version + ": " + failure);
        }
    }

    private static Class<?> find(String name) {
        for (String prefix : PACKAGES) {
            for (String suffix : new String[] {"Data", ""}) {
                try {
                    return Class.forName(prefix + name + suffix);
                } catch (ClassNotFoundException absent) {
                    // The next candidate may be there.
                }
            }
        }
        return null;
    }
}
