// The files of templates/ (and those of the Python engine that make a module) as text, compiled
// in by CMake.
#pragma once

namespace assay::report::templates {

extern const char* const kOnnxRuntime;
extern const char* const kOpenVino;
extern const char* const kOpenVinoThroughput;
extern const char* const kPyTorch;
extern const char* const kAotInductor;
extern const char* const kAotInductorCMake;
extern const char* const kProgram;
extern const char* const kModuleTree;
extern const char* const kPythonModule;
extern const char* const kUserModule;

}  // namespace assay::report::templates
