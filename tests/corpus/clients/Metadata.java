import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.*;
import java.util.*;

/** Calls every method of DatabaseMetaData that may send SQL, with several arguments; then what tools do
 *  with a result: its metadata, cursors, batches of rows, typed parameters. */
public class Metadata {
    static int drained = 0;

    static void drain(ResultSet rows) throws SQLException {
        ResultSetMetaData about = rows.getMetaData();
        for (int i = 1; i <= about.getColumnCount(); i++) {
            about.getColumnTypeName(i); about.getTableName(i); about.isNullable(i); about.isAutoIncrement(i);
            about.getColumnClassName(i); about.getSchemaName(i); about.getPrecision(i);
        }
        while (rows.next()) {
            for (int i = 1; i <= about.getColumnCount(); i++) rows.getObject(i);
            drained++;
        }
        rows.close();
    }

    public static void main(String[] args) throws Exception {
        String url = System.getenv("CORPUS_URL").replaceFirst("postgres://[^@]*@", "jdbc:postgresql://");
        for (String options : new String[] {"", "&preferQueryMode=simple", "&databaseMetadataCacheFields=0&prepareThreshold=1"}) {
            try (Connection c = DriverManager.getConnection(url + "?user=" + System.getenv("PGUSER") + options)) {
                metadata(c);
                statements(c, options);
            }
        }
        System.out.println(drained + " rows");
    }

    static void metadata(Connection c) throws Exception {
        DatabaseMetaData m = c.getMetaData();
        // Those without arguments, whatever they are.
        for (Method method : DatabaseMetaData.class.getMethods()) {
            if (method.getParameterCount() != 0) continue;
            try {
                Object answer = method.invoke(m);
                if (answer instanceof ResultSet) drain((ResultSet) answer);
            } catch (InvocationTargetException e) {
                if (!(e.getCause() instanceof SQLException)) throw e;
            }
        }
        drain(m.getSchemas(null, "pub%"));
        drain(m.getSchemas("corpus", null));
        String[][] kinds = {null, {"TABLE"}, {"VIEW", "MATERIALIZED VIEW"}, {"PARTITIONED TABLE", "FOREIGN TABLE"},
            {"INDEX", "SEQUENCE", "TYPE"}, {"SYSTEM TABLE", "SYSTEM VIEW"}, {"TABLE", "VIEW", "SYSTEM TABLE"}};
        for (String[] kind : kinds) drain(m.getTables(null, null, "%", kind));
        drain(m.getTables(null, "public", "cust%", null));
        drain(m.getTables("corpus", "sales", "orders", new String[] {"TABLE"}));
        drain(m.getColumns(null, "public", "customers", "%"));
        drain(m.getColumns(null, null, "orders", null));
        drain(m.getColumns("corpus", "sales", "%", "id"));
        drain(m.getColumns(null, "pg_catalog", "pg_class", null));
        for (String[] t : new String[][] {{"public", "customers"}, {"sales", "orders"}, {"sales", "order_lines"}, {null, "products"}}) {
            drain(m.getPrimaryKeys(null, t[0], t[1]));
            drain(m.getImportedKeys(null, t[0], t[1]));
            drain(m.getExportedKeys(null, t[0], t[1]));
            for (boolean unique : new boolean[] {true, false}) drain(m.getIndexInfo(null, t[0], t[1], unique, true));
            for (int scope : new int[] {0, 2}) drain(m.getBestRowIdentifier(null, t[0], t[1], scope, true));
            drain(m.getVersionColumns(null, t[0], t[1]));
            drain(m.getTablePrivileges(null, t[0], t[1]));
            drain(m.getColumnPrivileges(null, t[0], t[1], "%"));
        }
        drain(m.getCrossReference(null, "sales", "orders", null, "sales", "order_lines"));
        drain(m.getFunctions(null, null, "add%"));
        drain(m.getFunctions(null, "public", "%"));
        drain(m.getFunctionColumns(null, "public", "%", "%"));
        drain(m.getFunctionColumns(null, null, "add_tax", null));
        drain(m.getProcedures(null, null, "%"));
        drain(m.getProcedures(null, "public", "noth%"));
        drain(m.getProcedureColumns(null, "public", "%", null));
        drain(m.getUDTs(null, null, "%", null));
        drain(m.getUDTs(null, "public", "addr%", new int[] {Types.STRUCT, Types.DISTINCT}));
        drain(m.getClientInfoProperties());
        for (String call : new String[] {"getAttributes", "getSuperTables", "getSuperTypes"}) {
            try {
                if (call.equals("getAttributes")) drain(m.getAttributes(null, null, "%", "%"));
                if (call.equals("getSuperTables")) drain(m.getSuperTables(null, null, "%"));
                if (call.equals("getSuperTypes")) drain(m.getSuperTypes(null, null, "%"));
            } catch (SQLFeatureNotSupportedException e) {
                // It sends nothing then.
            }
        }
    }

    static void statements(Connection c, String options) throws Exception {
        c.isValid(5);
        c.getSchema(); c.getCatalog(); c.getTransactionIsolation(); c.getNetworkTimeout();
        c.setSchema("sales"); c.setSchema("public");
        c.setReadOnly(true);
        c.setAutoCommit(false);
        c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement s = c.createStatement()) {
            s.setFetchSize(2);
            s.setMaxRows(100);
            drain(s.executeQuery("SELECT * FROM public.customers ORDER BY id"));
            Savepoint point = c.setSavepoint("here");
            drain(s.executeQuery("SELECT count(*) FROM sales.orders"));
            c.rollback(point);
            c.releaseSavepoint(point);
        }
        c.commit();
        c.setReadOnly(false);
        c.setAutoCommit(true);
        c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        try (PreparedStatement p = c.prepareStatement(
                "SELECT id, name FROM public.customers WHERE id = ? AND name LIKE ? AND since < ? AND active = ? AND balance > ?")) {
            // Simple queries have nothing to describe.
            if (!options.contains("simple")) {
                p.getParameterMetaData().getParameterType(1);
                p.getMetaData().getColumnName(1);
            }
            p.setInt(1, 1); p.setString(2, "A%"); p.setDate(3, java.sql.Date.valueOf("2025-01-01"));
            p.setBoolean(4, true); p.setBigDecimal(5, new java.math.BigDecimal("10.5"));
            for (int i = 0; i < 3; i++) drain(p.executeQuery());
        }
        try (PreparedStatement p = c.prepareStatement("SELECT id FROM public.customers WHERE id = ANY (?) ORDER BY 1")) {
            p.setArray(1, c.createArrayOf("int4", new Object[] {1, 3}));
            drain(p.executeQuery());
        }
        try (PreparedStatement p = c.prepareStatement("SELECT * FROM sales.orders WHERE reference = ?")) {
            p.setObject(1, UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
            drain(p.executeQuery());
        }
        try (Statement s = c.createStatement()) {
            drain(s.executeQuery("SELECT {fn concat(name, code)}, {fn ucase(name)}, {d '2024-01-01'}, {fn mod(id, 2)} FROM public.customers ORDER BY id"));
            drain(s.executeQuery("SELECT tags, mail, feeling FROM public.customers ORDER BY id"));
            drain(s.executeQuery("SELECT sku, attributes, picture, taxed FROM sales.products ORDER BY sku"));
            drain(s.executeQuery("SELECT took, opens, placed, ratio, weight FROM sales.orders ORDER BY id"));
        }
    }
}
