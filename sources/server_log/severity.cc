#include "sources/server_log/severity.h"

#include <algorithm>
#include <array>

namespace pgconn::server_log {
namespace {

using Part = Heading::Part;

struct Word {
  std::string_view text;
  Part part;
  Severity severity = Severity::kUnknown;
};

constexpr Word message(std::string_view text, Severity severity) {
  return {text, Part::kMessage, severity};
}
constexpr Word detail(std::string_view text) { return {text, Part::kDetail}; }
constexpr Word other(std::string_view text) { return {text, Part::kOther}; }

constexpr auto kEnglish = std::to_array<Word>({
    message("LOG", Severity::kLog),
    message("ERROR", Severity::kError),
    message("FATAL", Severity::kFatal),
    detail("DETAIL"),
    other("STATEMENT"),
    message("WARNING", Severity::kWarning),
    other("HINT"),
    other("CONTEXT"),
    message("NOTICE", Severity::kNotice),
    message("INFO", Severity::kInfo),
    message("PANIC", Severity::kPanic),
    message("DEBUG", Severity::kDebug),
    other("QUERY"),
    other("LOCATION"),
    other("BACKTRACE"),
});

// The words of PostgreSQL's own translations that differ from the English ones. A word that means
// different things in two languages is here once, with the graver meaning.
constexpr auto kTranslated = std::to_array<Word>({
    message("LOGG", Severity::kLog),
    message("ЗАПИСУВАННЯ", Severity::kLog),
    message("СООБЩЕНИЕ", Severity::kLog),
    message("ჟურნალი", Severity::kLog),
    message("日志", Severity::kLog),
    message("日誌", Severity::kLog),
    message("로그", Severity::kLog),
    message("DZIENNIK", Severity::kLog),
    message("FEHLER", Severity::kError),
    message("ERREUR", Severity::kError),
    message("ERRORE", Severity::kError),
    message("ERRO", Severity::kError),
    message("FEL", Severity::kError),
    message("CHYBA", Severity::kError),
    message("HATA", Severity::kError),
    message("BŁĄD", Severity::kError),
    message("ОШИБКА", Severity::kError),
    message("ПОМИЛКА", Severity::kError),
    message("შეცდომა", Severity::kError),
    message("錯誤", Severity::kError),
    message("错误", Severity::kError),
    message("오류", Severity::kError),
    message("FATALE", Severity::kFatal),
    message("FATALT", Severity::kFatal),
    message("KATASTROFALNY", Severity::kFatal),
    message("ÖLÜMCÜL", Severity::kFatal),
    message("ВАЖНО", Severity::kFatal),
    message("ФАТАЛЬНО", Severity::kFatal),
    message("ფატალური", Severity::kFatal),
    message("致命錯誤", Severity::kFatal),
    message("致命错误", Severity::kFatal),
    message("치명적오류", Severity::kFatal),
    message("PANICO", Severity::kPanic),
    message("PANIK", Severity::kPanic),
    message("PÂNICO", Severity::kPanic),
    message("PANIKA", Severity::kPanic),
    message("ПАНІКА", Severity::kPanic),
    message("ПАНИКА", Severity::kPanic),
    message("პანიკა", Severity::kPanic),
    message("嚴重錯誤", Severity::kPanic),
    message("灾难性错误", Severity::kPanic),
    message("손상", Severity::kPanic),
    message("ATTENTION", Severity::kWarning),
    message("ATTENZIONE", Severity::kWarning),
    message("AVISO", Severity::kWarning),
    message("OSTRZEŻENIE", Severity::kWarning),
    message("UYARI", Severity::kWarning),
    message("VARNING", Severity::kWarning),
    message("VAROVÁNÍ", Severity::kWarning),
    message("WARNUNG", Severity::kWarning),
    message("ПОПЕРЕДЖЕННЯ", Severity::kWarning),
    message("ПРЕДУПРЕЖДЕНИЕ", Severity::kWarning),
    message("გაფრთხილება", Severity::kWarning),
    message("警告", Severity::kWarning),
    message("경고", Severity::kWarning),
    message("HINWEIS", Severity::kNotice),
    message("NOTIFICA", Severity::kNotice),
    message("NOTIS", Severity::kNotice),
    message("NOTA", Severity::kNotice),
    message("UWAGA", Severity::kNotice),
    message("ЗАМЕЧАНИЕ", Severity::kNotice),
    message("ПОВІДОМЛЕННЯ", Severity::kNotice),
    message("注意", Severity::kNotice),
    message("알림", Severity::kNotice),
    message("ІНФОРМАЦІЯ", Severity::kInfo),
    message("ИНФОРМАЦИЯ", Severity::kInfo),
    message("ინფორმაცია", Severity::kInfo),
    message("信息", Severity::kInfo),
    message("資訊", Severity::kInfo),
    message("정보", Severity::kInfo),
    message("НАЛАГОДЖЕННЯ", Severity::kDebug),
    message("ОТЛАДКА", Severity::kDebug),
    message("გამართვა", Severity::kDebug),
    message("调试", Severity::kDebug),
    message("除錯", Severity::kDebug),
    message("디버그", Severity::kDebug),
    detail("DETALJ"),
    detail("DETALLE"),
    detail("DETALHE"),
    detail("DETTAGLI"),
    detail("DÉTAIL"),
    detail("SZCZEGÓŁY"),
    detail("AYRINTI"),
    detail("ВІДОМОСТІ"),
    detail("ПОДРОБНОСТИ"),
    detail("დეტალები"),
    detail("詳情"),
    detail("詳細"),
    detail("详情"),
    detail("상세정보"),
    other("ASTUCE"),
    other("SUGGERIMENTO"),
    other("TIPP"),
    other("TIPS"),
    other("DICA"),
    other("PODPOWIEDŹ"),
    other("İPUCU"),
    other("ПОДСКАЗКА"),
    other("УКАЗІВКА"),
    other("მინიშნება"),
    other("ヒント"),
    other("提示"),
    other("힌트"),
    other("ANFRAGE"),
    other("CONSULTA"),
    other("FRÅGA"),
    other("REQUÊTE"),
    other("ZAPYTANIE"),
    other("DOTAZ"),
    other("SORGU"),
    other("ЗАПИТ"),
    other("ЗАПРОС"),
    other("მოთხოვნა"),
    other("問い合わせ"),
    other("查詢"),
    other("查询"),
    other("쿼리"),
    other("CONTESTO"),
    other("CONTEXTE"),
    other("CONTEXTO"),
    other("KONTEXT"),
    other("KONTEKST"),
    other("BAĞLAM"),
    other("ZUSAMMENHANG"),
    other("КОНТЕКСТ"),
    other("კონტექსტი"),
    other("上下文"),
    other("文脈"),
    other("내용"),
    other("PILE D'APPEL"),
    other("ВІДСТЕЖУВАТИ"),
    other("СТЕК"),
    other("სტეკი"),
    other("バックトレース"),
    other("回溯"),
    other("역추적"),
    other("ANWEISUNG"),
    other("INSTRUCTION"),
    other("ISTRUZIONE"),
    other("COMANDO"),
    other("WYRAŻENIE"),
    other("PŘÍKAZ"),
    other("KOMUT"),
    other("SATS"),
    other("SENTENCIA"),
    other("ІНСТРУКЦІЯ"),
    other("ОПЕРАТОР"),
    other("ოპერატორი"),
    other("文"),
    other("语句"),
    other("陳述式"),
    other("명령 구문"),
    other("ORT"),
    other("EMPLACEMENT"),
    other("UBICACIÓN"),
    other("POSIZIONE"),
    other("LOCAL"),
    other("POŁOŻENIE"),
    other("PLATS"),
    other("ПОЛОЖЕНИЕ"),
});

constexpr std::size_t kLongestWord = 40;  // bytes

std::size_t spaces_at(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_not_of(' ', at);
  return (end == std::string_view::npos ? text.size() : end) - at;
}

const Word* translated(std::string_view word) {
  const auto* found = std::ranges::find(kTranslated, word, &Word::text);
  return found == kTranslated.end() ? nullptr : found;
}

// The length of "word:  " as PostgreSQL writes it: some translations put a space (ordinary or
// non-breaking) before the colon, or fewer after it.
std::optional<Heading> translated_heading(std::string_view text) {
  const std::size_t colon = text.substr(0, kLongestWord + 2).find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view word = text.substr(0, colon);
  constexpr std::string_view unbreakable = "\u00a0";
  while (word.ends_with(' ')) word.remove_suffix(1);
  if (word.ends_with(unbreakable)) word.remove_suffix(unbreakable.size());
  const Word* found = translated(word);
  if (found == nullptr) return std::nullopt;
  return Heading{found->part, found->severity, colon + 1 + spaces_at(text, colon + 1)};
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "debug";
    case Severity::kLog:
      return "log";
    case Severity::kInfo:
      return "info";
    case Severity::kNotice:
      return "notice";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
    case Severity::kFatal:
      return "fatal";
    case Severity::kPanic:
      return "panic";
    case Severity::kUnknown:
      break;
  }
  return "unknown";
}

std::optional<Heading> parse_heading(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (const Word& word : kEnglish) {
    if (word.text.front() != text.front() || !text.starts_with(word.text)) continue;
    const std::size_t length = word.text.size();
    if (text.substr(length, 3) == ":  ") return Heading{word.part, word.severity, length + 3};
  }
  return translated_heading(text);
}

std::optional<Heading> parse_unknown_heading(std::string_view text) {
  const std::size_t colon = text.substr(0, kLongestWord + 1).find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  if (text.substr(colon + 1, 2) != "  ") return std::nullopt;
  const bool is_text = std::ranges::all_of(
      text.substr(0, colon), [](char c) { return static_cast<unsigned char>(c) > ' '; });
  if (!is_text) return std::nullopt;
  return Heading{Part::kMessage, Severity::kUnknown, colon + 3};
}

Severity severity_of(std::string_view word) {
  for (const Word& english : kEnglish) {
    if (english.text == word) return english.severity;
  }
  const Word* found = translated(word);
  return found == nullptr ? Severity::kUnknown : found->severity;
}

}  // namespace pgconn::server_log
