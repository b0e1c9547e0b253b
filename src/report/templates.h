// The files of templates/ (and the two of the Python engine that rebuild a module) as text, compiled
// in by CMake.
#pragma once

namespace assay::report::templates {

extern const char* const kOnnxRuntime;
extern const char* const kOpenVino;
extern const char* const kPyTorch;
extern const char* const kAotInductor;
extern const char* const kAotInductorCMake;
extern const char* const kProgram;
extern const char* const kModuleTree;

}  // namespace assay::report::templates
