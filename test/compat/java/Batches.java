import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Record batches as kafka-clients writes and reads them.
 *
 * {@code Batches write DIRECTORY} makes the fixtures of test/golden/records; {@code Batches read FILE...} checks the
 * batches in each file and prints them, a line a batch and a line a record.
 */
public final class Batches {
    private static final long TIME = 1_700_000_000_000L;
    private static final long BASE_OFFSET = 1000;

    public static void main(String[] args) throws IOException {
        if (args[0].equals("write")) {
            write(Path.of(args[1]));
        } else {
            for (int index = 1; index < args.length; index++) read(new File(args[index]));
        }
    }

    private static void write(Path directory) throws IOException {
        for (byte magic = 0; magic <= 2; magic++) {
            for (CompressionType type : CompressionType.values()) {
                if (magic < 2 && type == CompressionType.ZSTD) continue;
                String name = "v" + magic + "-" + type.name;
                save(directory, name, small(magic, type));
                if (type != CompressionType.NONE) save(directory, name + "-large", large(magic, type));
            }
        }
        save(directory, "v2-idempotent", producer(false));
        save(directory, "v2-transactional-append-time", producer(true));
        save(directory, "v1-snappy-append-time", appendTime());
        save(directory, "v2-commit-marker", marker(ControlRecordType.COMMIT));
        save(directory, "v2-abort-marker", marker(ControlRecordType.ABORT));
    }

    private static void save(Path directory, String name, ByteBuffer bytes) throws IOException {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        StringBuilder text = new StringBuilder("# written by org.apache.kafka.common.record of kafka-clients "
            + AppInfoParser.getVersion() + " (test/compat/java/Batches.java)\n");
        String hex = HexFormat.of().formatHex(copy);
        for (int at = 0; at < hex.length(); at += 120) {
            text.append(hex, at, Math.min(at + 120, hex.length())).append('\n');
        }
        Files.writeString(directory.resolve(name + ".hex"), text);
    }

    private static MemoryRecordsBuilder builder(byte magic, CompressionType type) {
        return MemoryRecords.builder(ByteBuffer.allocate(1 << 19), magic, Compression.of(type).build(),
            TimestampType.CREATE_TIME, BASE_OFFSET);
    }

    /** Every kind of field there is: null, empty, headers where the format has them, times that go back. */
    private static ByteBuffer small(byte magic, CompressionType type) {
        MemoryRecordsBuilder builder = builder(magic, type);
        Header[] none = new Header[0];
        Header[] headers = magic < 2 ? none : new Header[] {
            new RecordHeader("first", utf8("one")),
            new RecordHeader("kavka \u010dern\u00e1", utf8("")),
            new RecordHeader("first", null),
        };
        builder.append(TIME, utf8("key-0"), utf8("value-0"), headers);
        builder.append(TIME + 5, null, utf8("value-1"), none);
        builder.append(TIME - 7, utf8("key-2"), null, none);
        builder.append(TIME + 3_000_000_000L, utf8(""), utf8(""), none);
        builder.append(TIME, utf8("key-4"), utf8("value-4 ".repeat(20)), none);
        return builder.build().buffer();
    }

    /** More than a block of every codec. */
    private static ByteBuffer large(byte magic, CompressionType type) {
        MemoryRecordsBuilder builder = builder(magic, type);
        for (int index = 0; index < 30; index++) {
            builder.append(TIME + index, utf8("key-" + index), utf8(("large value " + index + ". ").repeat(400)));
        }
        return builder.build().buffer();
    }

    private static ByteBuffer producer(boolean transactional) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(4096), (byte) 2,
            Compression.of(CompressionType.LZ4).build(),
            transactional ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, BASE_OFFSET, TIME + 99,
            4_000_000_000L, (short) 3, Integer.MAX_VALUE, transactional, false, 17);
        builder.append(TIME, utf8("a"), utf8("1"));
        builder.append(TIME + 1, utf8("b"), utf8("2"));
        return builder.build().buffer();
    }

    private static ByteBuffer appendTime() {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(4096), (byte) 1,
            Compression.of(CompressionType.SNAPPY).build(), TimestampType.LOG_APPEND_TIME, BASE_OFFSET, TIME + 99);
        builder.append(TIME, utf8("a"), utf8("1"));
        builder.append(TIME + 1, utf8("b"), utf8("2"));
        return builder.build().buffer();
    }

    private static ByteBuffer marker(ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(BASE_OFFSET, TIME, 17, 4_000_000_000L, (short) 3,
            new EndTransactionMarker(type, 12)).buffer();
    }

    private static void read(File file) throws IOException {
        System.out.println("file " + file.getName());
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(file.toPath())));
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            System.out.println(String.join(" ", "batch", "magic=" + batch.magic(), "codec=" + batch.compressionType().name,
                "offsets=" + batch.baseOffset() + "-" + batch.lastOffset(), "epoch=" + batch.partitionLeaderEpoch(),
                "producer=" + batch.producerId() + "/" + batch.producerEpoch() + "/" + batch.baseSequence(),
                "time=" + batch.timestampType() + ":" + batch.maxTimestamp(), "control=" + batch.isControlBatch(),
                "transactional=" + batch.isTransactional(), "size=" + batch.sizeInBytes()));
            for (Record record : batch) {
                record.ensureValid();
                StringBuilder line = new StringBuilder("record " + record.offset() + " " + record.timestamp() + " "
                    + hex(record.hasKey() ? record.key() : null) + " "
                    + hex(record.hasValue() ? record.value() : null));
                for (Header header : record.headers()) {
                    line.append(' ').append(hex(ByteBuffer.wrap(utf8(header.key())))).append('=')
                        .append(hex(header.value() == null ? null : ByteBuffer.wrap(header.value())));
                }
                if (batch.isControlBatch()) {
                    EndTransactionMarker marker = EndTransactionMarker.deserialize(record);
                    line.append(' ').append(marker.controlType()).append(':').append(marker.coordinatorEpoch());
                }
                System.out.println(line);
            }
        }
        System.out.println("bytes " + records.validBytes() + " of " + records.sizeInBytes());
    }

    private static String hex(ByteBuffer bytes) {
        if (bytes == null) return "null";
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return "'" + HexFormat.of().formatHex(copy) + "'";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
