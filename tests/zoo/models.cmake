# Which models of src/zoo/zoo.cc are held to what outside the unit tests. The first are quick enough
# to run with every test.
set(ZOO_QUICK simplecnn resnet18 mobilenet_v3_small)
set(ZOO_SLOW
  resnet34 resnet50 resnet101 resnet152 mobilenet_v2 mobilenet_v3_large
  efficientnet_b0 efficientnet_b1 efficientnet_b2
  convnext_tiny convnext_small convnext_base vit_b_16 vit_b_32 vit_l_16 vit_l_32
  bert_base gpt2 gpt2_prefill gpt2_decode yolov8n yolov8s)
