start(model.task === "paint" ? buildPainter : model.task === "generate" ? buildGenerator : buildTransformer);
