// pgjdbc against PostgreSQL and against InfloWave: the same calls give the same values.
//
// Usage: java -cp postgresql.jar Client.java POSTGRES_URL INFLOWAVE_URL

import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URI;
import java.sql.*;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;

public class Client {
  /** All rows with the names of their columns; of some columns only, where names are given. */
  static String rows(ResultSet result, String... only) throws SQLException {
    ResultSetMetaData meta = result.getMetaData();
    StringBuilder text = new StringBuilder();
    List<Integer> columns = new ArrayList<>();
    for (int i = 1; i <= meta.getColumnCount(); i++) {
      if (only.length == 0 || List.of(only).contains(meta.getColumnName(i).toLowerCase())) {
        columns.add(i);
        text.append(meta.getColumnName(i)).append(':').append(meta.getColumnTypeName(i)).append(' ');
      }
    }
    while (result.next()) {
      text.append('\n');
      for (int i : columns) text.append(result.getString(i)).append('|');
    }
    return text.toString();
  }

  static List<String> calls(String url) throws Exception {
    URI place = new URI(url);
    Properties properties = new Properties();
    properties.setProperty("user", place.getUserInfo());
    String jdbc = "jdbc:postgresql://" + place.getHost() + ":" + place.getPort() + place.getPath();
    List<String> seen = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(jdbc, properties)) {
      DatabaseMetaData meta = connection.getMetaData();
      seen.add("" + meta.getDatabaseMajorVersion());
      // Who owns a source's table is not known here, nor which of its relations are views.
      seen.add(rows(meta.getTables(null, "public", "cust%", null)));
      seen.add(rows(meta.getTables(null, "sales", "%", new String[] {"TABLE"})));
      seen.add(rows(meta.getColumns(null, "public", "customers", "%")));
      seen.add(rows(meta.getColumns(null, "public", "Odd%", "%")));
      seen.add(rows(meta.getSchemas(null, "s%")));
      seen.add(rows(meta.getTableTypes()));
      seen.add(rows(meta.getPrimaryKeys(null, "public", "customers")));
      seen.add(rows(meta.getImportedKeys(null, "public", "customers"), "fk_name", "fkcolumn_name"));
      seen.add(rows(meta.getExportedKeys(null, "public", "customers"), "fk_name", "fkcolumn_name"));
      seen.add(rows(meta.getIndexInfo(null, "public", "customers", false, false)));
      seen.add(rows(meta.getBestRowIdentifier(null, "public", "customers", 0, false)));
      seen.add(rows(meta.getClientInfoProperties()));
      seen.add(meta.getSQLKeywords() + meta.getMaxColumnNameLength());

      try (Statement statement = connection.createStatement()) {
        seen.add(rows(statement.executeQuery("select * from customers order by id")));
      }
      // More than five executions: from then on it is prepared, and values come in binary.
      try (PreparedStatement statement = connection.prepareStatement(
          "select name, ?::date, ?::numeric, ? as said, ?::timestamptz, ?::uuid, ?::bool, ?::float8 "
              + "from customers where id = ?")) {
        for (int i = 0; i < 8; i++) {
          statement.setObject(1, LocalDate.of(2024, 2, 29));
          statement.setBigDecimal(2, new BigDecimal("-1234.50"));
          statement.setString(3, "łąka");
          statement.setObject(4, OffsetDateTime.parse("2024-01-02T03:04:05.678901Z"));
          statement.setObject(5, UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
          statement.setBoolean(6, true);
          statement.setDouble(7, 0.1);
          statement.setInt(8, 1 + i % 4);
          seen.add(rows(statement.executeQuery()));
        }
      }
      try (PreparedStatement statement =
          connection.prepareStatement("select id from customers where id = any(?) order by id")) {
        statement.setArray(1, connection.createArrayOf("int4", new Integer[] {1, 4}));
        seen.add(rows(statement.executeQuery()));
      }
      // In a transaction a fetch size is a portal that is read in parts.
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.setFetchSize(100);
        int count = 0;
        ResultSet result = statement.executeQuery("select n from generate_series(1, 2500) g(n)");
        while (result.next()) count++;
        if (count != 2500) throw new AssertionError(count + " rows");
      }
      Savepoint savepoint = connection.setSavepoint("here");
      try (Statement statement = connection.createStatement()) {
        statement.executeQuery("select 1 / 0");
      } catch (SQLException error) {
        seen.add(error.getSQLState());
      }
      connection.rollback(savepoint);
      try (Statement statement = connection.createStatement()) {
        seen.add(rows(statement.executeQuery("select 1 as one")));
      }
      connection.commit();
      connection.setReadOnly(true);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      try (Statement statement = connection.createStatement()) {
        seen.add(rows(statement.executeQuery("show transaction_isolation")));
      }
      connection.rollback();
      connection.setAutoCommit(true);
      StringWriter copied = new StringWriter();
      long count = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(
          "copy (select id, name, note from customers order by id) to stdout csv header", copied);
      seen.add(count + "\n" + copied);
      connection.setSchema("sales");
      seen.add(connection.getSchema());
      try (Statement statement = connection.createStatement()) {
        seen.add(rows(statement.executeQuery("select * from orders order by id")));
      }
      try (Statement statement = connection.createStatement()) {
        statement.executeQuery("select nothing from orders");
      } catch (SQLException error) {
        seen.add(error.getSQLState());
      }
    }
    return seen;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> expected = calls(arguments[0]);
    List<String> found = calls(arguments[1]);
    if (expected.size() < 28) throw new AssertionError(expected.size() + " results");
    for (int i = 0; i < expected.size(); i++) {
      if (i >= found.size() || !expected.get(i).equals(found.get(i))) {
        throw new AssertionError("result " + i + "\nPostgreSQL: " + expected.get(i)
            + "\nInfloWave: " + (i < found.size() ? found.get(i) : "none"));
      }
    }
    System.out.println(found.size() + " results are the same");
  }
}
