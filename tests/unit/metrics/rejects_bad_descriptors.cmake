# Compiles bad_descriptors.cc and fails unless the compiler rejects each marked line for the reason
# of its mark. Run as: cmake -DCOMPILER=… -DNO_ERROR_LIMIT=… -DSOURCE_DIR=… -P this file, with the
# flag that makes the compiler go on to the last error.
cmake_minimum_required(VERSION 3.25)

set(source ${SOURCE_DIR}/tests/unit/metrics/bad_descriptors.cc)
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 -fsyntax-only ${NO_ERROR_LIMIT} -I${SOURCE_DIR} ${source}
  RESULT_VARIABLE result ERROR_VARIABLE messages)
if(result EQUAL 0)
  message(FATAL_ERROR "every bad descriptor compiled")
endif()

# Lists end at semicolons and pair up brackets: neither may stay in the text that becomes one.
string(REGEX REPLACE "[][;]" " " messages "${messages}")
string(REPLACE "\n" ";" messages "${messages}")
file(READ ${source} marked)
string(REGEX REPLACE "[][;]" " " marked "${marked}")
string(REPLACE "\n" ";" marked "${marked}")

# A message names the line first, then the function that ended the evaluation.
set(said "")
foreach(message IN LISTS messages)
  if(message MATCHES "bad_descriptors\\.cc:([0-9]+):")
    set(line ${CMAKE_MATCH_1})
  endif()
  if(message MATCHES "non-'?constexpr'? function '(void [a-z_:]*::)?([a-z_0-9]+)")
    list(APPEND said "${line} ${CMAKE_MATCH_2}")
  endif()
endforeach()

set(number 0)
set(marks 0)
set(wrong "")
foreach(line IN LISTS marked)
  math(EXPR number "${number} + 1")
  if(line MATCHES "^constexpr .*// ([a-z_0-9]+)$")
    math(EXPR marks "${marks} + 1")
    if(NOT "${number} ${CMAKE_MATCH_1}" IN_LIST said)
      string(APPEND wrong "\n  line ${number} should be rejected by ${CMAKE_MATCH_1}")
    endif()
  endif()
endforeach()
if(marks EQUAL 0)
  message(FATAL_ERROR "no marked line was found")
endif()
if(wrong)
  list(JOIN said "\n  " said)
  message(FATAL_ERROR "the compiler did not say what was expected:${wrong}\nit said:\n  ${said}")
endif()
message(STATUS "${marks} bad descriptors rejected, each for its reason")
