# Turns the addon's shared library into ohos_websocket.node: Node-API, and without OHWS_TLS_PREFIX also TLS and zlib, stay
# undefined (on Windows: are slots of node-imports-windows.c) and are found in the Node executable at load; nothing but the two
# Node-API entry points is exported.
function(ohws_finish_addon target)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ohos_websocket PREFIX "" SUFFIX ".node" NO_SONAME ON)

  if(OHWS_OLD_GLIBC)
    target_sources(${target} PRIVATE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/stat-of-old-glibc.c")
  endif()

  if(WIN32)
    target_sources(${target} PRIVATE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/node-imports-windows.c")
    # CMake counts a DLL among what runs.
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
  elseif(APPLE)
    set(exports "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports-macos.txt")
    target_link_options(${target} PRIVATE -undefined dynamic_lookup "LINKER:-exported_symbols_list,${exports}" LINKER:-dead_strip)
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${exports}")
  else()
    set(exports "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map")
    target_link_options(${target} PRIVATE
      "LINKER:--version-script,${exports}" LINKER:--gc-sections LINKER:-z,relro,-z,now)
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${exports}")
  endif()
endfunction()
