# SPDX-License-Identifier: Apache-2.0
# Flags that every target of the project shares, and the functions that make libraries, plugins and tests alike.

add_library(entente_flags INTERFACE)
target_compile_definitions(entente_flags INTERFACE _GNU_SOURCE)
target_include_directories(entente_flags INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR}/core)
target_compile_options(entente_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wvla -Wpointer-arith -Wwrite-strings -Wundef
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
if(ENTENTE_SANITIZE)
  target_compile_options(entente_flags INTERFACE -fsanitize=${ENTENTE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>) # instrumented, gcc no longer sees the ranges of numbers
  target_link_options(entente_flags INTERFACE -fsanitize=${ENTENTE_SANITIZE})
endif()

# Programs and plugins are optimized as a whole, see docs/decisions.md. Tests are linked from the same objects,
# which hold machine code as well: they would take minutes otherwise.
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT ENTENTE_SANITIZE)
  set(ENTENTE_LTO -flto=auto -ffat-lto-objects)
  set(ENTENTE_LTO_LINK -flto=auto -O2)
endif()
target_compile_options(entente_flags INTERFACE ${ENTENTE_LTO})

# What is optimized is made for processors like the one that builds it, but for no newer ones than of 2013 (x86-64-v3: AVX2, BMI2);
# elsewhere the program loader says so and refuses. `x86-64`: for all of them. Figures are the same: no sums are contracted.
set(ENTENTE_CPU "auto" CACHE STRING "processors to build for: auto, x86-64, x86-64-v3, or what else -march takes")
if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT ENTENTE_SANITIZE AND CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  set(ENTENTE_MARCH ${ENTENTE_CPU})
  if(ENTENTE_CPU STREQUAL auto)
    include(CheckCSourceRuns)
    check_c_source_runs("#include <cpuid.h>
      int main(void) {
        unsigned a, b, c, d;
        __builtin_cpu_init();
        return !(__builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"bmi\") && __builtin_cpu_supports(\"bmi2\") &&
          __builtin_cpu_supports(\"fma\") && __get_cpuid(1, &a, &b, &c, &d) && c & bit_MOVBE && c & bit_F16C &&
          __get_cpuid(0x80000001, &a, &b, &c, &d) && c & bit_LZCNT);
      }" ENTENTE_HAS_V3)
    set(ENTENTE_MARCH x86-64)
    if(ENTENTE_HAS_V3)
      set(ENTENTE_MARCH x86-64-v3)
    endif()
  endif()
  set(ENTENTE_CPU_FLAGS -march=${ENTENTE_MARCH} -ffp-contract=off)
  if(ENTENTE_MARCH STREQUAL x86-64-v3)
    set(ENTENTE_CPU_LINK -Wl,-z,x86-64-v3) # so that an older processor is told, rather than killed
  endif()
elseif(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  set(ENTENTE_CPU_FLAGS -ffp-contract=off)
endif()
target_compile_options(entente_flags INTERFACE ${ENTENTE_CPU_FLAGS})

# ent_library(NAME SOURCES a.c b.c LIBS x y): a static library of the engine.
function(ent_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC entente_flags ${A_LIBS})
endfunction()

# ent_program(NAME SOURCES ... LIBS ...): a program that is installed; all land in build/bin so that they find each other.
function(ent_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE entente_flags ${A_LIBS})
  target_link_options(${name} PRIVATE ${ENTENTE_LTO_LINK} ${ENTENTE_CPU_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# ent_plugin(NAME SOURCES ... LIBS ...): a source plugin, built against include/ alone, into build/plugins/NAME.so.
function(ent_plugin name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_library(plugin_${name} MODULE ${A_SOURCES})
  target_include_directories(plugin_${name} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_options(plugin_${name} PRIVATE -Wall -Wextra -Werror -Wshadow -fvisibility=hidden ${ENTENTE_LTO} ${ENTENTE_CPU_FLAGS})
  target_link_libraries(plugin_${name} PRIVATE ${A_LIBS})
  target_link_options(plugin_${name} PRIVATE -Wl,--no-undefined ${ENTENTE_LTO_LINK} ${ENTENTE_CPU_LINK})
  if(ENTENTE_SANITIZE)
    target_compile_options(plugin_${name} PRIVATE -fsanitize=${ENTENTE_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(plugin_${name} PRIVATE -fsanitize=${ENTENTE_SANITIZE})
  endif()
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/entente/plugins)
  install(DIRECTORY golden DESTINATION share/entente/plugins/${name} OPTIONAL) # for `entente plugin test`
  set_property(GLOBAL APPEND PROPERTY ENTENTE_PLUGINS ${name}) # for docs/plugins (EntenteDocs.cmake) and tests/conform
endfunction()

# ent_patience(VARIABLE): a timeout is there to end what hangs, not to measure: a machine may be busy or slow, and programs
# under a sanitizer take several times as long.
function(ent_patience variable)
  if(ENTENTE_SANITIZE)
    math(EXPR longer "10 * ${${variable}}")
  else()
    math(EXPR longer "3 * ${${variable}}")
  endif()
  set(${variable} ${longer} PARENT_SCOPE)
endfunction()

# ent_test(NAME SOURCES ... LIBS ... [TIMEOUT s]): a cmocka executable, one ctest entry.
function(ent_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 60)
  endif()
  ent_patience(A_TIMEOUT)
  add_executable(test_${name} ${A_SOURCES})
  target_link_options(test_${name} PRIVATE $<$<BOOL:${ENTENTE_LTO}>:-fno-lto>)
  target_link_libraries(test_${name} PRIVATE entente_flags ${A_LIBS} PkgConfig::CMOCKA)
  target_compile_definitions(test_${name} PRIVATE ENTENTE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ENTENTE_BUILD_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS c)
  if(ENTENTE_SANITIZE) # strstr() of the sanitizer measures the whole text at each call: quadratic for who counts words
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      "ASAN_OPTIONS=intercept_strstr=0;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1")
  endif()
endfunction()

# ent_pytest(NAME PATH [TIMEOUT s]): a folder of pytest tests, one ctest entry; the programs are found through ENTENTE_BIN.
function(ent_pytest name path)
  cmake_parse_arguments(A "" "TIMEOUT" "" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 600)
  endif()
  ent_patience(A_TIMEOUT)
  add_test(NAME ${name} COMMAND /usr/bin/python3 -m pytest -q -p no:cacheprovider ${path} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS python ENVIRONMENT
    "ENTENTE_BIN=${CMAKE_BINARY_DIR}/bin;ENTENTE_PLUGINS=${CMAKE_BINARY_DIR}/plugins;ENTENTE_BUILD_DIR=${CMAKE_BINARY_DIR};PYTHONPATH=${CMAKE_SOURCE_DIR}/scripts;PYTHONDONTWRITEBYTECODE=1")
endfunction()
