import java.io.DataInputStream;
import java.io.BufferedInputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;

/**
 * Sends one prepared request over and over on one connection: {@code TinyRequests PORT IN_FLIGHT SECONDS ERROR_AT HEX}.
 *
 * HEX is the whole frame; its correlation id is replaced by a counter, and the answers must come back in that order.
 * ERROR_AT is where the error code stands in an answer, counted behind its length. Prints the requests a second after
 * a warm-up of a second, and the number of all requests.
 */
public final class TinyRequests {
    private static final int CORRELATION_AT = 8;

    private static byte[] fromHex(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        return bytes;
    }

    public static void main(String[] args) throws Exception {
        int inFlight = Integer.parseInt(args[1]);
        long nanos = (long) (Double.parseDouble(args[2]) * 1e9);
        int errorAt = Integer.parseInt(args[3]);
        byte[] frame = fromHex(args[4]);
        ByteBuffer request = ByteBuffer.wrap(frame);
        try (Socket socket = new Socket("127.0.0.1", Integer.parseInt(args[0]))) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 65536));
            byte[] answer = new byte[65536];
            int sent = 0;
            int answered = 0;
            int counted = 0;
            long start = System.nanoTime();
            long counting = start + 1_000_000_000L;
            long end = counting + nanos;
            while (true) {
                while (sent - answered < inFlight) {
                    request.putInt(CORRELATION_AT, sent++);
                    out.write(frame);
                }
                int length = in.readInt();
                in.readFully(answer, 0, length);
                ByteBuffer body = ByteBuffer.wrap(answer);
                if (body.getInt(0) != answered) throw new IllegalStateException("answers out of order");
                if (body.getShort(errorAt) != 0) throw new IllegalStateException("error " + body.getShort(errorAt));
                answered++;
                long now = System.nanoTime();
                if (now > end) break;
                if (now > counting) counted++;
            }
            System.out.println((counted * 1e9 / nanos) + " " + answered);
        }
    }
}
