# cmake -DRUNBOOKS=a.md;b.md -DOUTPUT=texts.cc -P EmbedRunbooks.cmake: writes the source that holds their texts.
list(SORT RUNBOOKS)
list(LENGTH RUNBOOKS count)
set(entries "")
foreach(runbook IN LISTS RUNBOOKS)
  get_filename_component(alert ${runbook} NAME_WE)
  file(READ ${runbook} markdown)
  string(FIND "${markdown}" ")runbook\"" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${runbook} contains )runbook\", which ends the text inside the program")
  endif()
  string(APPEND entries "    {\"${alert}\", R\"runbook(${markdown})runbook\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include <array>

#include \"exporter/pages/runbooks.h\"

namespace pgconn::exporter {

std::span<const Runbook> embedded_runbooks() {
  static constexpr std::array<Runbook, ${count}> runbooks = {{
${entries}  }};
  return runbooks;
}

}  // namespace pgconn::exporter
")
