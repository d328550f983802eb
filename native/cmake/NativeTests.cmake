# One executable and one ctest test for each file of test/native. They link the wire and protocol layers only.
find_package(Threads REQUIRED)
# There is no Node executable to find zlib's functions in.
find_library(OHWS_ZLIB_LIBRARY NAMES z zlib libz.so.1 REQUIRED)
file(GLOB test_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/native/*.cpp")
foreach(source IN LISTS test_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(test_${name} "${source}")
  target_link_libraries(test_${name} PRIVATE ohws_protocol ohws_wire ohws_options ohws_zlib "${OHWS_ZLIB_LIBRARY}" Threads::Threads)
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endforeach()
