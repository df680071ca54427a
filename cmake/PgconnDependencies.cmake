# Distribution packages only. Names differ between Debian 12 and 13; the differences end here.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)  # ships no version file: must stay unversioned
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(md4c CONFIG REQUIRED)

find_package(yaml-cpp CONFIG REQUIRED)
if(NOT TARGET yaml-cpp::yaml-cpp)  # Debian 12 exports the bare name
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

find_path(CIVETWEB_INCLUDE_DIR civetweb.h REQUIRED)
find_library(CIVETWEB_LIBRARY civetweb REQUIRED)
add_library(pgconn::civetweb UNKNOWN IMPORTED)
set_target_properties(pgconn::civetweb PROPERTIES IMPORTED_LOCATION ${CIVETWEB_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${CIVETWEB_INCLUDE_DIR})

find_path(CRYPT_INCLUDE_DIR crypt.h REQUIRED)
find_library(CRYPT_LIBRARY crypt REQUIRED)
add_library(pgconn::crypt UNKNOWN IMPORTED)
set_target_properties(pgconn::crypt PROPERTIES IMPORTED_LOCATION ${CRYPT_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${CRYPT_INCLUDE_DIR})

find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(asio::asio INTERFACE IMPORTED)
target_include_directories(asio::asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
# Asio 1.22 takes aligned_alloc only in files that include a standard header before it: without one
# answer for all files, what one file allocates another frees in another way.
target_compile_definitions(asio::asio INTERFACE ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_link_libraries(asio::asio INTERFACE Threads::Threads)
