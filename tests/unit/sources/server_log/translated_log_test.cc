// Lines as PostgreSQL 15 writes them with lc_messages in other languages.
#include <string>
#include <vector>

#include "sources/server_log/classify.h"
#include "sources/server_log/stderr_parser.h"
#include "tests/support/catch.h"

namespace pgconn::server_log {
namespace {

const std::string kHead = "2026-11-29 14:42:50.615 UTC [7669] ";

struct Language {
  std::string canceled, statement, no_role, no_database, terminated, fast_shutdown;
};

const Language kGerman = {"FEHLER:  storniere Anfrage wegen Zeitüberschreitung der Anfrage",
                          "ANWEISUNG:  select 1/0",
                          "FATAL:  Rolle »nobody1« existiert nicht",
                          "FATAL:  Datenbank »nodb« existiert nicht",
                          "FATAL:  Verbindung wird abgebrochen aufgrund von Anweisung des "
                          "Administrators",
                          "LOG:  schnelles Herunterfahren verlangt"};
const Language kRussian = {"ОШИБКА:  выполнение оператора отменено из-за тайм-аута",
                           "ОПЕРАТОР:  select 1/0",
                           "ВАЖНО:  роль \"nobody1\" не существует",
                           "ВАЖНО:  база данных \"nodb\" не существует",
                           "ВАЖНО:  закрытие подключения по команде администратора",
                           "СООБЩЕНИЕ:  получен запрос на быстрое выключение"};
const Language kChinese = {
    "错误:  由于语句执行超时，正在取消查询命令", "语句:  select 1/0",
    "致命错误:  角色 \"nobody1\" 不存在",        "致命错误:  数据库 \"nodb\" 不存在",
    "致命错误:  由于管理员命令，正在终止连接",   "日志:  收到快速关闭请求"};

TEST_CASE("translated logs: SQLSTATEs tell, and parts of an entry are no entries") {
  for (const Language& language : {kGerman, kRussian, kChinese}) {
    const std::string text =
        kHead + "57014 me@db " + language.canceled + "\n" + kHead + "57014 me@db " +
        language.statement + "\n" + kHead + "28000 x@db " + language.no_role + "\n" + kHead +
        "3D000 me@nodb " + language.no_database + "\n" + kHead + "57P01 me@db " +
        language.terminated + "\n" + kHead + "57P01 me@db " + language.statement + "\n" + kHead +
        "00000 " + language.fast_shutdown + "\n";
    std::vector<std::string> events;
    std::vector<Severity> severities;
    const Sink sink = [&](const Entry& entry) {
      const auto event = classify(entry).event;
      events.push_back(event ? std::string(to_string(*event)) : "");
      severities.push_back(entry.severity);
    };
    StderrParser parser(Prefix("%m [%p] %e %q%u@%d "));
    parser.feed(text, sink);
    parser.finish(sink);
    CHECK(parser.faults() == ParseFaults());
    CHECK(events == std::vector<std::string>{"statement_canceled", "authorization_refused",
                                             "no_database", "admin_terminate", ""});
    CHECK(severities == std::vector<Severity>{Severity::kError, Severity::kFatal, Severity::kFatal,
                                              Severity::kFatal, Severity::kLog});
  }
}

}  // namespace
}  // namespace pgconn::server_log
