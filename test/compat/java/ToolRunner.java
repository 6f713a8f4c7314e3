import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of many command-line tools in one virtual machine, because starting one for each costs seconds.
 *
 * Reads one command a line: fields in Base64 separated by spaces, namely the text for standard input, the class, the
 * arguments. Answers one line a command: exit code, standard output and standard error, the texts in Base64.
 */
public final class ToolRunner {
    /** Thrown where a tool would have ended the virtual machine. Some tools catch it and try to exit a second time. */
    private static final class ToolExit extends RuntimeException {
        ToolExit(int code) {
            super("exit " + code, null, false, false);
        }
    }

    /** With which code the running tool first wanted to exit. */
    private static volatile Integer exitCode;

    private static void exit(int code) {
        if (exitCode == null) exitCode = code;
        throw new ToolExit(exitCode);
    }

    /** A stream whose target changes from tool to tool: Scala's console keeps the stream that it saw first. */
    private static final class Switched extends OutputStream {
        volatile OutputStream target = new ByteArrayOutputStream();

        @Override
        public void write(int value) throws java.io.IOException {
            target.write(value);
        }

        @Override
        public void write(byte[] bytes, int start, int length) throws java.io.IOException {
            target.write(bytes, start, length);
        }
    }

    private static String encode(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static String decode(String field) {
        return new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8);
    }

    private static int runTool(String className, String[] arguments) throws Exception {
        exitCode = null;
        try {
            Class.forName(className).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException thrown) {
            if (exitCode == null) {
                thrown.getCause().printStackTrace();
                return 1;
            }
        }
        return exitCode == null ? 0 : exitCode;
    }

    public static void main(String[] unused) throws Exception {
        PrintStream answers = System.out;
        InputStream commands = System.in;
        Switched out = new Switched();
        Switched err = new Switched();
        System.setOut(new PrintStream(out, true));
        System.setErr(new PrintStream(err, true));
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        BufferedReader reader = new BufferedReader(new InputStreamReader(commands, StandardCharsets.US_ASCII));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            String[] fields = Arrays.stream(line.split(" ", -1)).map(ToolRunner::decode).toArray(String[]::new);
            ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
            ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
            out.target = outBytes;
            err.target = errBytes;
            System.setIn(new ByteArrayInputStream(fields[0].getBytes(StandardCharsets.UTF_8)));
            int code = runTool(fields[1], Arrays.copyOfRange(fields, 2, fields.length));
            System.out.flush();
            System.err.flush();
            answers.println(code + " " + encode(outBytes.toByteArray()) + " " + encode(errBytes.toByteArray()));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }
}
