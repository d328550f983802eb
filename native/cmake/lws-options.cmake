# The initial cache with which libwebsockets is configured (cmake -C), for Windows or not (OHWS_FOR_WINDOWS, set before:
# CMake does not know yet). Whatever stands here is part of the key under which the built library is kept.

# What is built: one static, position-independent library, and nothing that runs.
set(LWS_WITH_STATIC ON CACHE BOOL "")
set(LWS_WITH_SHARED OFF CACHE BOOL "")
set(LWS_STATIC_PIC ON CACHE BOOL "")
set(LWS_WITHOUT_TESTAPPS ON CACHE BOOL "")
set(LWS_WITHOUT_TEST_SERVER ON CACHE BOOL "")
set(LWS_WITHOUT_TEST_CLIENT ON CACHE BOOL "")
set(LWS_WITHOUT_TEST_PING ON CACHE BOOL "")
set(LWS_WITH_MINIMAL_EXAMPLES OFF CACHE BOOL "")
set(LWS_CTEST_INTERNET_AVAILABLE OFF CACHE BOOL "")
set(LWS_WITH_EXPORT_LWSTARGETS OFF CACHE BOOL "")
# Else its build folder is entered into the user's CMake registry, where find_package would come upon it.
set(CMAKE_EXPORT_NO_PACKAGE_REGISTRY ON CACHE BOOL "")
set(DISABLE_WERROR ON CACHE BOOL "")
# Keeps the hash of the surrounding git checkout out of the library.
set(CMAKE_DISABLE_FIND_PACKAGE_Git ON CACHE BOOL "")
set(CMAKE_SUPPRESS_DEVELOPER_WARNINGS ON CACHE BOOL "")

# What we use.
set(LWS_ROLE_H1 ON CACHE BOOL "")
set(LWS_ROLE_WS ON CACHE BOOL "")
set(LWS_WITHOUT_CLIENT OFF CACHE BOOL "")
set(LWS_WITHOUT_SERVER OFF CACHE BOOL "")
set(LWS_WITHOUT_EXTENSIONS OFF CACHE BOOL "")
set(LWS_WITH_ZLIB ON CACHE BOOL "")
set(LWS_WITH_SSL ON CACHE BOOL "")
set(LWS_IPV6 ON CACHE BOOL "")
set(LWS_UNIX_SOCK ON CACHE BOOL "")
set(LWS_WITH_CUSTOM_HEADERS ON CACHE BOOL "")
set(LWS_WITH_HTTP_UNCOMMON_HEADERS ON CACHE BOOL "")
set(LWS_CLIENT_HTTP_PROXYING ON CACHE BOOL "")
set(LWS_WITH_SYS_STATE ON CACHE BOOL "")
# One thread a context: lws's locks are compiled out.
set(LWS_MAX_SMP 1 CACHE STRING "")
# Without it lws adds the size of every allocation to one global number, which several engine threads then fight for.
set(LWS_HAVE_MALLOC_USABLE_SIZE "" CACHE INTERNAL "")
# Event libraries come through lws_context_creation_info.event_lib_custom, which needs none of these.
set(LWS_WITH_EVLIB_PLUGINS OFF CACHE BOOL "")

# What we do not use, and what a peer shall not be able to reach.
set(LWS_WITH_NO_LOGS ON CACHE BOOL "")
set(LWS_LOG_TAG_LIFECYCLE OFF CACHE BOOL "")
set(LWS_WITH_HTTP2 OFF CACHE BOOL "")
# The role by which lws watches our listening sockets; no peer gets a connection of it.
set(LWS_ROLE_RAW_FILE ON CACHE BOOL "")
set(LWS_ROLE_RAW_PROXY OFF CACHE BOOL "")
set(LWS_ROLE_MQTT OFF CACHE BOOL "")
set(LWS_ROLE_DBUS OFF CACHE BOOL "")
set(LWS_WITH_HTTP_PROXY OFF CACHE BOOL "")
set(LWS_WITH_HTTP_BASIC_AUTH OFF CACHE BOOL "")
set(LWS_WITH_HTTP_STREAM_COMPRESSION OFF CACHE BOOL "")
set(LWS_WITH_CGI OFF CACHE BOOL "")
set(LWS_WITH_LWSWS OFF CACHE BOOL "")
set(LWS_WITH_PLUGINS OFF CACHE BOOL "")
set(LWS_WITH_PLUGINS_API OFF CACHE BOOL "")
set(LWS_WITH_SOCKS5 OFF CACHE BOOL "")
set(LWS_WITH_PEER_LIMITS OFF CACHE BOOL "")
set(LWS_WITH_RANGES OFF CACHE BOOL "")
set(LWS_WITH_ACCESS_LOG OFF CACHE BOOL "")
set(LWS_WITH_UDP OFF CACHE BOOL "")
# Its file for Windows does not compile without; no callback of ours serves a file.
set(LWS_WITH_FILE_OPS ${OHWS_FOR_WINDOWS} CACHE BOOL "")
set(LWS_WITH_DIR OFF CACHE BOOL "")
set(LWS_WITH_LEJP OFF CACHE BOOL "")
set(LWS_WITH_LEJP_CONF OFF CACHE BOOL "")
set(LWS_WITH_CBOR OFF CACHE BOOL "")
set(LWS_WITH_LWSAC OFF CACHE BOOL "")
set(LWS_WITH_CONMON OFF CACHE BOOL "")
set(LWS_WITH_NETLINK OFF CACHE BOOL "")
set(LWS_WITH_CACHE_NSCOOKIEJAR OFF CACHE BOOL "")
set(LWS_WITH_SYS_SMD OFF CACHE BOOL "")
set(LWS_WITH_SYS_ASYNC_DNS OFF CACHE BOOL "")
set(LWS_WITH_SYS_NTPCLIENT OFF CACHE BOOL "")
set(LWS_WITH_SYS_DHCP_CLIENT OFF CACHE BOOL "")
set(LWS_WITH_SECURE_STREAMS OFF CACHE BOOL "")
set(LWS_WITH_TLS_SESSIONS OFF CACHE BOOL "")
set(LWS_WITH_DRIVERS OFF CACHE BOOL "")

# TLS and zlib are those of the Node executable. There is no library to link, so the checks that would link one are
# answered here, for OpenSSL 3.0 and later (Node 20 has 3.0).
set(OPENSSL_FOUND ON CACHE BOOL "")
set(ZLIB_FOUND ON CACHE BOOL "")
# Its CMake files insist on a name; this one is linked anyway.
if(OHWS_FOR_WINDOWS)
  set(OPENSSL_LIBRARIES ws2_32 CACHE STRING "")
else()
  set(OPENSSL_LIBRARIES c CACHE STRING "")
endif()
set(ZLIB_LIBRARIES ${OPENSSL_LIBRARIES} CACHE STRING "")
set(CMAKE_DISABLE_FIND_PACKAGE_PkgConfig ON CACHE BOOL "")
foreach(known IN ITEMS
    BN_bn2binpad ECDSA_SIG_set0 EC_KEY_new_by_curve_name EC_POINT_get_affine_coordinates EVP_MD_CTX_free
    EVP_PKEY_new_raw_private_key EVP_aes_128_cfb128 EVP_aes_128_cfb8 EVP_aes_128_ctr EVP_aes_128_ecb EVP_aes_128_ofb
    EVP_aes_128_wrap EVP_aes_128_xts EVP_aes_192_cfb128 EVP_aes_192_cfb8 EVP_aes_256_cfb128 EVP_aes_256_cfb8
    HMAC_CTX_new OPENSSL_ECDH_H OPENSSL_STACK RSA_SET0_KEY SSL_CTX_get0_certificate SSL_CTX_set1_param
    SSL_CTX_set_ciphersuites SSL_EXTRA_CHAIN_CERTS SSL_SESSION_set_time SSL_SET_INFO_CALLBACK SSL_get0_alpn_selected
    SSL_set_alpn_protos TLSV1_2_CLIENT_METHOD TLS_CLIENT_METHOD X509_VERIFY_PARAM_set1_host X509_get_key_usage)
  set(LWS_HAVE_${known} 1 CACHE INTERNAL "")
endforeach()
foreach(unknown IN ITEMS
    RSA_verify_pss_mgf1 SSL_CTX_EVP_PKEY_new_raw_private_key SSL_CTX_load_verify_file SSL_CTX_load_verify_dir
    SSL_SESSION_up_ref)
  set(LWS_HAVE_${unknown} "" CACHE INTERNAL "")
endforeach()
