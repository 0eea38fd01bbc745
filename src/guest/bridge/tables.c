#include "guest/bridge/host.h"

const aard__host_entry *const aard__guest_tables[] = {aard__engine_host,
                                                      aard__guest_host,
                                                      aard__host_text,
                                                      aard__host_url,
                                                      aard__host_crypto,
                                                      aard__host_directories,
                                                      aard__host_network,
                                                      aard__host_program,
                                                      aard__host_callbacks,
                                                      aard__host_zlib,
                                                      aard__host_cipher,
                                                      aard__host_keys,
                                                      NULL};
