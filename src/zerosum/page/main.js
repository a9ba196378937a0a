start(model.task === "generate" ? buildGenerator : buildTransformer);
