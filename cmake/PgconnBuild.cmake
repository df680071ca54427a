# Language, warnings and sanitizers, and pgconn_library(): the one way a folder becomes a library.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(pgconn_warnings INTERFACE)
target_compile_options(pgconn_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference)
# GCC 12 reports false positives for these inside its own standard library and coroutine frames.
target_compile_options(pgconn_warnings INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized)
if(PGCONN_WERROR)
  target_compile_options(pgconn_warnings INTERFACE -Werror)
endif()
if(PGCONN_SANITIZE)
  add_compile_options(-fsanitize=${PGCONN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PGCONN_SANITIZE})
endif()

# pgconn_library(NAME SOURCES a.cc… HEADERS a.h… [LINK public…] [LINK_PRIVATE private…])
# Every header is compiled alone: one that has a source of its name is what that source includes first (scripts/lint
# checks it), and the build target all_verify_interface_header_sets compiles the others.
function(pgconn_library name)
  cmake_parse_arguments(LIB "" "" "SOURCES;HEADERS;LINK;LINK_PRIVATE" ${ARGN})
  add_library(${name} STATIC ${LIB_SOURCES})
  set(without_source ${LIB_HEADERS})
  foreach(source IN LISTS LIB_SOURCES)
    string(REGEX REPLACE "\\.cc$" ".h" header ${source})
    list(REMOVE_ITEM without_source ${header})
  endforeach()
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${LIB_HEADERS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${LIB_LINK} PRIVATE pgconn_warnings ${LIB_LINK_PRIVATE})
  if(without_source)
    target_sources(${name} PUBLIC FILE_SET without_source TYPE HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}
                   FILES ${without_source})
    set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON
                          INTERFACE_HEADER_SETS_TO_VERIFY without_source)
  endif()
endfunction()
