import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

/** Prints Kafka's tables of configuration keys as JSON, in the form of test/golden/config/kafka-3.9.1-config.json. */
public class ConfigTables {
    public static void main(String[] args) throws Exception {
        Map<String, ConfigKey> broker = kafka.server.KafkaConfig$.MODULE$.configDef().configKeys();
        Map<String, Object> tables = new LinkedHashMap<>();
        tables.put("broker", rows(broker.values(), true));
        tables.put("topic", rows(LogConfig.configDefCopy().configKeys().values(), false));
        List<ConfigKey> quotas = new ArrayList<>(entity("Broker"));
        quotas.removeIf(key -> broker.containsKey(key.name));
        tables.put("brokerQuota", rows(quotas, false));
        tables.put("user", rows(entity("User"), false));
        tables.put("client", rows(entity("Client"), false));
        tables.put("ip", rows(entity("Ip"), false));
        tables.put("topicServerKeys", new TreeMap<>(ServerTopicConfigSynonyms.TOPIC_CONFIG_SYNONYMS));
        System.out.println(new ObjectMapper().writeValueAsString(tables));
    }

    private static List<Object> rows(Collection<ConfigKey> keys, boolean ofBroker) throws Exception {
        Map<String, Object> rows = new TreeMap<>();
        for (ConfigKey key : keys) {
            boolean required = key.defaultValue == ConfigDef.NO_DEFAULT_VALUE;
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("name", key.name);
            row.put("type", key.type.name().toLowerCase());
            row.put("default", required ? null : ConfigDef.convertToString(key.defaultValue, key.type));
            row.put("importance", key.importance.name().toLowerCase());
            if (required) row.put("required", true);
            if (key.validator != null) row.put("valid", key.validator.toString());
            if (key.internalConfig) row.put("internal", true);
            if (ofBroker && in("AllDynamicConfigs", key.name)) {
                row.put("update", in("PerBrokerConfigs", key.name) ? "per-broker" : "cluster-wide");
            }
            rows.put(key.name, row);
        }
        return new ArrayList<>(rows.values());
    }

    /** Keys of a dynamic entity; the Scala object and its members are not public to Java. */
    @SuppressWarnings("unchecked")
    private static Collection<ConfigKey> entity(String name) throws Exception {
        Class<?> type = Class.forName("kafka.server.DynamicConfig$" + name + "$");
        Object module = type.getField("MODULE$").get(null);
        return ((Map<String, ConfigKey>) type.getMethod("configKeys").invoke(module)).values();
    }

    /** Whether a set of DynamicBrokerConfig's companion object, most of them private, holds a name. */
    private static boolean in(String set, String name) throws Exception {
        Object module = kafka.server.DynamicBrokerConfig$.MODULE$;
        java.lang.reflect.Method method = module.getClass().getDeclaredMethod(set);
        method.setAccessible(true);
        scala.collection.Iterator<?> items = ((scala.collection.Iterable<?>) method.invoke(module)).iterator();
        while (items.hasNext()) {
            if (items.next().equals(name)) return true;
        }
        return false;
    }
}
